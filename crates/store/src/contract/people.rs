//! Staff: somebody who may do everything is left, whatever happens at once.

use domain::change::{Refused, Write};
use domain::ids::PersonId;
use domain::people::{PeopleWrite, Person, Role};
use domain::ports::{PeopleRows, Store};

use super::{NOW, World, refused, wait};

fn owner(world: &World<'_>, name: &str, password: Option<&str>) -> Person {
    let person = Person {
        id: PersonId(world.store.next_row_id()),
        version: 0,
        email: format!("{name}@example.com"),
        role: Role::Owner,
        account: None,
        password: password.map(str::to_owned),
        verified_at: None,
        totp: None,
        disabled: false,
        created_at: NOW,
    };
    let insert = PeopleWrite::Insert(Box::new(person.clone()));
    world.commit(vec![Write::People(insert)]).unwrap();
    person
}

/// Somebody is an owner no longer.
fn demoted(person: &Person) -> Vec<Write> {
    let next = Person {
        role: Role::Auditor,
        ..person.clone()
    };
    let keep = PeopleWrite::KeepOwner { except: person.id };
    let writes = [PeopleWrite::Update(Box::new(next)), keep];
    writes.map(Write::People).into()
}

pub(crate) fn an_owner_who_has_joined_is_left<S: Store + PeopleRows>(store: &S) {
    let world = World::new(store);
    let ana = owner(&world, "ana", Some("$hash$"));
    let bob = owner(&world, "bob", Some("$hash$"));
    owner(&world, "newcomer", None);
    let suspended = owner(&world, "suspended", Some("$hash$"));
    let suspend = PeopleWrite::Update(Box::new(Person {
        disabled: true,
        ..suspended
    }));
    world.commit(vec![Write::People(suspend)]).unwrap();

    // both at once, as two who were read before either was written
    let both = std::thread::scope(|scope| {
        [&bob, &ana]
            .map(|person| scope.spawn(|| world.commit(demoted(person))))
            .map(|one| one.join().unwrap())
    });
    let lost = refused(Refused::LastOwner);
    assert_eq!(both.iter().filter(|one| one.is_ok()).count(), 1, "{both:?}");
    assert_eq!(both.iter().filter(|one| **one == lost).count(), 1);
    let staff = wait(store.staff()).unwrap();
    let joined = |one: &&Person| one.role == Role::Owner && !one.disabled && one.password.is_some();
    let left: Vec<&Person> = staff.iter().filter(joined).collect();
    assert_eq!(left.len(), 1);
    assert_eq!(world.commit(demoted(left[0])), lost);
}
