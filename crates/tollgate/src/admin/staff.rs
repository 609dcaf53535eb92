//! Who works at the console, for the command line.

use super::rfc3339;
use app::people::PeopleError;
use app::{AdminError, People};
use domain::people::{Person, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What can be asked about staff.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Makes a member of staff.
    Add {
        /// E-mail.
        email: String,
        /// Word of the role.
        role: String,
    },
    /// Lists them.
    List,
    /// Gives another role.
    Role {
        /// E-mail.
        email: String,
        /// Word of the role.
        role: String,
    },
    /// Ends access, or gives it back.
    Suspend {
        /// E-mail.
        email: String,
        /// Whether to end it.
        suspended: bool,
    },
    /// Lets somebody start anew.
    Reset {
        /// E-mail.
        email: String,
    },
}

/// Answers with one JSON object.
pub(super) async fn answer(people: &People, question: Question) -> Result<Value, AdminError> {
    asked(people, question).await.map_err(|error| match error {
        PeopleError::Storage => AdminError::Storage,
        other => AdminError::Invalid(other.to_string()),
    })
}

async fn asked(people: &People, question: Question) -> Result<Value, PeopleError> {
    match question {
        Question::Add { email, role } => {
            let joining = people.add_staff(&email, read(&role)?).await?;
            Ok(json!({ "person_id": joining.person.0, "link": joining.link }))
        }
        Question::List => {
            let staff = people.staff().await?;
            Ok(json!({ "staff": staff.iter().map(view).collect::<Vec<_>>() }))
        }
        Question::Role { email, role } => {
            let role = read(&role)?;
            people
                .set_role(people.member_by_email(&email).await?, role)
                .await?;
            Ok(json!({ "email": email, "role": role.slug() }))
        }
        Question::Suspend { email, suspended } => {
            let person = people.member_by_email(&email).await?;
            people.suspend_staff(person, suspended).await?;
            Ok(json!({ "email": email, "suspended": suspended }))
        }
        Question::Reset { email } => {
            let person = people.member_by_email(&email).await?;
            let joining = people.reset_staff(person).await?;
            Ok(json!({ "person_id": joining.person.0, "link": joining.link }))
        }
    }
}

fn read(word: &str) -> Result<Role, PeopleError> {
    let role = Role::from_slug(word).filter(|role| role.is_staff());
    role.ok_or_else(|| PeopleError::Invalid {
        field: "role",
        why: format!("{word}: there are the roles owner, finance, support and auditor"),
    })
}

fn view(person: &Person) -> Value {
    json!({
        "person_id": person.id.0,
        "email": person.email,
        "role": person.role.slug(),
        "second_factor": person.has_second_factor(),
        "suspended": person.disabled,
        "created_at": rfc3339(person.created_at.0),
    })
}
