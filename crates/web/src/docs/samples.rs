//! Example requests for one endpoint, in four languages, with the reader's own base URL.

use super::endpoints::{Endpoint, Method, Sample};

/// The key that the examples show.
const KEY: &str = "your_api_key_here";

/// One example request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The language, as its tab says.
    pub language: &'static str,
    /// The program text.
    pub code: String,
}

/// The example requests of an endpoint, in the order of the tabs. `base_url` is an origin
/// such as `https://otp.example`, without a trailing slash.
pub fn of(endpoint: &Endpoint, base_url: &str) -> Vec<Example> {
    let url = address(endpoint, base_url);
    vec![
        Example {
            language: "curl",
            code: curl(endpoint, &url),
        },
        Example {
            language: "PHP",
            code: php(endpoint, &url),
        },
        Example {
            language: "JavaScript",
            code: javascript(endpoint, &url),
        },
        Example {
            language: "Python",
            code: python(endpoint, &url),
        },
    ]
}

/// The full address, with the sample's values in the query of a read.
fn address(endpoint: &Endpoint, base_url: &str) -> String {
    let mut url = format!("{base_url}{}", endpoint.target());
    if endpoint.method == Method::Get {
        for (name, value) in endpoint.sample {
            let value = match value {
                Sample::Text(text) => text.replace(' ', "%20"),
                Sample::Number(number) => number.to_string(),
            };
            url.push_str(&format!("&{name}={value}"));
        }
    }
    url
}

/// The members of a write's body, each written as `name`, `separator`, value, with texts
/// between `quote` marks.
fn members(endpoint: &Endpoint, quoted_name: bool, separator: &str, quote: char) -> String {
    let member = |(name, value): &(&str, Sample)| {
        let name = if quoted_name {
            format!("{quote}{name}{quote}")
        } else {
            (*name).to_owned()
        };
        match value {
            Sample::Text(text) => format!("{name}{separator}{quote}{text}{quote}"),
            Sample::Number(number) => format!("{name}{separator}{number}"),
        }
    };
    endpoint
        .sample
        .iter()
        .map(member)
        .collect::<Vec<_>>()
        .join(", ")
}

fn curl(endpoint: &Endpoint, url: &str) -> String {
    let mut lines = vec![format!("curl -X {} \"{url}\"", endpoint.method.name())];
    if endpoint.authenticated {
        lines.push(format!("  -H \"X-API-Key: {KEY}\""));
    }
    if endpoint.method == Method::Post {
        lines.push("  -H \"Content-Type: application/json\"".to_owned());
        lines.push(format!(
            "  -d '{{{}}}'",
            members(endpoint, true, ":", '"').replace(", ", ",")
        ));
    }
    lines.join(" \\\n")
}

fn php(endpoint: &Endpoint, url: &str) -> String {
    let mut options = vec!["    'ignore_errors' => true,".to_owned()];
    let mut headers = Vec::new();
    if endpoint.authenticated {
        headers.push(format!("X-API-Key: {KEY}"));
    }
    if endpoint.method == Method::Post {
        headers.push("Content-Type: application/json".to_owned());
        options.insert(0, "    'method' => 'POST',".to_owned());
        let body = members(endpoint, true, " => ", '\'');
        options.push(format!("    'content' => json_encode([{body}]),"));
    }
    if !headers.is_empty() {
        options.push(format!(
            "    'header' => \"{}\\r\\n\",",
            headers.join("\\r\\n")
        ));
    }
    format!(
        "$context = stream_context_create(['http' => [\n{}\n]]);\n\
         $json = file_get_contents('{url}', false, $context);\n\
         $answer = json_decode($json, true);\n\
         print_r($answer{});",
        options.join("\n"),
        if endpoint.answer.wrapped {
            "['data']"
        } else {
            ""
        },
    )
}

fn javascript(endpoint: &Endpoint, url: &str) -> String {
    let mut options = Vec::new();
    if endpoint.method == Method::Post {
        options.push("  method: 'POST',".to_owned());
        options.push(format!(
            "  headers: {{ 'X-API-Key': '{KEY}', 'Content-Type': 'application/json' }},"
        ));
        let body = members(endpoint, false, ": ", '\'');
        options.push(format!("  body: JSON.stringify({{ {body} }}),"));
    } else if endpoint.authenticated {
        options.push(format!("  headers: {{ 'X-API-Key': '{KEY}' }},"));
    }
    let options = match options.is_empty() {
        true => String::new(),
        false => format!(", {{\n{}\n}}", options.join("\n")),
    };
    let unpack = if endpoint.answer.wrapped {
        "const { success, data, error } = await response.json();\n\
         if (!success) throw new Error(error);\n\
         console.log(data);"
    } else {
        "console.log(await response.json());"
    };
    format!("const response = await fetch('{url}'{options});\n{unpack}")
}

fn python(endpoint: &Endpoint, url: &str) -> String {
    let mut headers = Vec::new();
    if endpoint.authenticated {
        headers.push(format!("\"X-API-Key\": \"{KEY}\""));
    }
    let mut arguments = vec![format!("    \"{url}\",")];
    if endpoint.method == Method::Post {
        headers.push("\"Content-Type\": \"application/json\"".to_owned());
        let body = members(endpoint, true, ": ", '"');
        arguments.push("    method=\"POST\",".to_owned());
        arguments.push(format!("    data=json.dumps({{{body}}}).encode(),"));
    }
    if !headers.is_empty() {
        arguments.push(format!("    headers={{{}}},", headers.join(", ")));
    }
    format!(
        "import json\nimport urllib.request\n\nrequest = urllib.request.Request(\n{}\n)\n\
         with urllib.request.urlopen(request) as response:\n    print(json.load(response){})",
        arguments.join("\n"),
        if endpoint.answer.wrapped {
            "[\"data\"]"
        } else {
            ""
        },
    )
}
