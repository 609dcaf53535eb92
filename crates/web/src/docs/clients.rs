//! The complete example programs, embedded so that the page shows what the tests run.

/// Where the programs look for the gateway unless told otherwise.
const DEFAULT_ADDRESS: &str = "http://127.0.0.1:8080/api/v1";

/// One complete example program.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The language, as its tab says.
    pub language: &'static str,
    /// The file's name.
    pub file: &'static str,
    /// How it is run.
    pub command: &'static str,
    source: &'static str,
}

impl Client {
    /// The program with the reader's own address as its default. `base_url` is an origin
    /// without a trailing slash.
    pub fn source(&self, base_url: &str) -> String {
        self.source
            .replace(DEFAULT_ADDRESS, &format!("{base_url}/api/v1"))
    }
}

/// Every example program, in the order of the tabs.
pub const CLIENTS: &[Client] = &[
    Client {
        language: "PHP",
        file: "client.php",
        command: "php client.php",
        source: include_str!("../../../../examples/php/client.php"),
    },
    Client {
        language: "JavaScript",
        file: "client.mjs",
        command: "node client.mjs",
        source: include_str!("../../../../examples/javascript/client.mjs"),
    },
    Client {
        language: "Python",
        file: "client.py",
        command: "python3 client.py",
        source: include_str!("../../../../examples/python/client.py"),
    },
];
