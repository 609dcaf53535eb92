//! A corpus of sound and unsound connections, each given in every possible pair of pieces.

use super::*;

const SOUND: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost:x\r\nEmpty:\r\nTab:\ta\tb\t\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n\n\r\n\n\n",
    b"POST / HTTP/1.1\r\ncontent-length:  05 \t\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTRANSFER-ENCODING:chunked \r\n\r\n5;a=\"b\"\r\nhello\r\n00A\r\n0123456789\r\n0\r\nSum: 1\r\n\r\n",
    b"GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nokGET /c HTTP/1.1\r\n\r\n",
    // near the names that matter, but not them
    b"GET / HTTP/1.1\r\nContent-Length-X: a\r\nX-Transfer-Encoding: b\r\nContent-Lengt: c\r\n\r\n",
];

/// What may pass, and what follows it, whose first byte must not.
const UNSOUND: &[(&str, &str, &str)] = &[
    ("bare LF before the request", "", "\nGET / HTTP/1.1\r\n\r\n"),
    (
        "CR without LF before the request",
        "\r",
        "GET / HTTP/1.1\r\n\r\n",
    ),
    ("a body's rest as a request", "", "{\"a\":1}"),
    ("blank before the method", "", " GET / HTTP/1.1"),
    ("endless method", "ABCDEFGHIJABCDEFGHIJABCDEFGHIJAB", "C /"),
    (
        "bare LF after the request line",
        "GET / HTTP/1.1",
        "\nHost: x\r\n\r\n",
    ),
    (
        "bare LF after a header",
        "GET / HTTP/1.1\r\nHost: x",
        "\n\r\n",
    ),
    ("bare LF as the end", "GET / HTTP/1.1\r\nHost: x\r\n", "\n"),
    (
        "bare CR in a header",
        "GET / HTTP/1.1\r\nHost: x\r",
        "Y: z\r\n\r\n",
    ),
    ("folded header", "GET / HTTP/1.1\r\nA: b\r\n", " c\r\n\r\n"),
    (
        "folded first header",
        "GET / HTTP/1.1\r\n",
        "\tA: b\r\n\r\n",
    ),
    (
        "blank before the colon",
        "GET / HTTP/1.1\r\nA",
        " : b\r\n\r\n",
    ),
    ("header without colon", "GET / HTTP/1.1\r\nA", "\r\n\r\n"),
    ("header without name", "GET / HTTP/1.1\r\n", ": b\r\n\r\n"),
    (
        "unsound second request",
        "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1",
        "\n",
    ),
];

/// Header lines that leave the body's length in doubt; the line feed of the last must not pass.
const UNSOUND_HEADERS: &[(&str, &str)] = &[
    (
        "length twice, equal",
        "Content-Length: 5\r\nContent-Length: 5",
    ),
    (
        "length twice, different",
        "Content-Length: 5\r\ncontent-length: 6",
    ),
    ("length as a list", "Content-Length: 5, 5"),
    ("length with a plus", "Content-Length: +5"),
    ("length with a minus", "Content-Length: -5"),
    ("length in hexadecimal", "Content-Length: 0x5"),
    ("empty length", "Content-Length: "),
    (
        "length past 64 bits",
        "Content-Length: 18446744073709551621",
    ),
    (
        "length too long to hold",
        "Content-Length: 000000000000000000000000005",
    ),
    (
        "length and chunked",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
    ),
    (
        "chunked and length",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
    ),
    (
        "chunked twice",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ),
    (
        "chunked after another coding",
        "Transfer-Encoding: gzip, chunked",
    ),
    (
        "chunked before another coding",
        "Transfer-Encoding: chunked, identity",
    ),
    ("another coding", "Transfer-Encoding: identity"),
    ("nearly chunked", "Transfer-Encoding: xchunked"),
    ("chunked in capitals", "Transfer-Encoding: Chunked"),
    (
        "chunked with a vertical tab",
        "Transfer-Encoding: \x0bchunked",
    ),
    ("empty coding", "Transfer-Encoding:"),
];

/// Bodies in chunks: what may pass, and what must not.
const UNSOUND_CHUNKS: &[(&str, &str, &str)] = &[
    ("no chunk size", "", "\r\n"),
    ("chunk size no number", "5", "g\r\n"),
    ("signed chunk size", "", "+5\r\n"),
    ("prefixed chunk size", "0", "x5\r\n"),
    ("blank after the chunk size", "5", " \r\n"),
    ("chunk size past 64 bits", "1000000000000000", "5\r\n"),
    ("chunk size past 63 bits", "FFFFFFFFFFFFFFF", "F\r\n"),
    ("chunk size of many digits", "0000000000000000", "5\r\n"),
    ("bare LF after the chunk size", "5", "\nhello\r\n"),
    ("bare LF in an extension", "5;a", "\nhello\r\n"),
    ("bare CR in an extension", "5;a\r", "b\r\n"),
    ("chunk longer than its size", "2\r\nhe", "llo\r\n"),
    ("bare LF after a chunk", "2\r\nhe", "\n0\r\n\r\n"),
    ("bare LF as the body's end", "0\r\n", "\n"),
    ("bare LF in a trailer", "0\r\nA: b", "\n\r\n"),
    ("folded trailer", "0\r\n", " A: b\r\n\r\n"),
];

const CHUNKED: &str = "P / H\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Follows the pieces in turn; an offence is told by its place in the whole.
fn follow(pieces: &[&[u8]]) -> (StrictHead, Result<(), Broken>) {
    let mut strict = StrictHead::new();
    let mut before = 0;
    for piece in pieces {
        if let Err(Broken {
            at,
            part,
            line_too_long,
        }) = strict.follow(piece)
        {
            return (
                strict,
                Err(Broken {
                    at: before + at,
                    part,
                    line_too_long,
                }),
            );
        }
        before += piece.len();
    }
    (strict, Ok(()))
}

/// The verdict on the whole, which no way of cutting it may change.
fn in_every_split(name: &str, bytes: &[u8]) -> (StrictHead, Result<(), Broken>) {
    let (strict, whole) = follow(&[bytes]);
    for cut in 0..=bytes.len() {
        let (left, right) = bytes.split_at(cut);
        let (split, verdict) = follow(&[left, right]);
        assert_eq!(
            (verdict, split.at),
            (whole, strict.at),
            "{name}, cut at {cut}"
        );
    }
    let singly: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(follow(&singly).1, whole, "{name}, byte by byte");
    (strict, whole)
}

#[test]
fn sound_connections_pass_whole_and_end_between_requests() {
    for bytes in SOUND {
        let name = String::from_utf8_lossy(bytes);
        let (strict, verdict) = in_every_split(&name, bytes);
        assert_eq!((verdict, strict.part()), (Ok(()), Part::Between), "{name}");
    }
}

fn breaks_after(name: &str, passes: &str, stops: &str, part: Part) {
    let (_, verdict) = in_every_split(name, format!("{passes}{stops}").as_bytes());
    assert_eq!(
        verdict,
        Err(Broken {
            at: passes.len(),
            part,
            line_too_long: false,
        }),
        "{name}"
    );
}

#[test]
fn unsound_heads_break_at_the_first_bad_byte() {
    for (name, passes, stops) in UNSOUND {
        breaks_after(name, passes, stops, Part::Head);
    }
    for (name, headers) in UNSOUND_HEADERS {
        let passes = format!("POST / HTTP/1.1\r\nA: b\r\n{headers}\r");
        breaks_after(name, &passes, "\nC: d\r\n\r\n", Part::Head);
    }
}

#[test]
fn a_request_line_breaks_at_the_first_byte_too_many_however_it_is_cut() {
    let target = format!("/{}", "y".repeat(LINE_MAX));
    let longest = format!(
        "GET {} HTTP/1.1\r\n\r\n",
        &target[..LINE_MAX - " HTTP/1.1".len()]
    );
    let too_long = format!("GET {target} HTTP/1.1\r\n\r\n");
    for size in [1, 1000, too_long.len()] {
        let mut strict = StrictHead::new();
        for _ in 0..2 {
            let mut pieces = longest.as_bytes().chunks(size);
            assert!(pieces.all(|piece| strict.follow(piece).is_ok()), "{size}");
        }
        let mut passed = 0;
        let broken = too_long.as_bytes().chunks(size).find_map(|piece| {
            let broken = strict.follow(piece).err();
            passed += broken.map_or(piece.len(), |broken| broken.at);
            broken
        });
        assert_eq!(passed, "GET ".len() + LINE_MAX, "{size}");
        assert!(broken.is_some_and(|broken| broken.line_too_long), "{size}");
    }
}

#[test]
fn unsound_chunks_break_at_the_first_bad_byte() {
    for (name, passes, stops) in UNSOUND_CHUNKS {
        breaks_after(name, &format!("{CHUNKED}{passes}"), stops, Part::Body);
    }
}

#[test]
fn parts_and_heads_are_told_as_they_come() {
    let mut strict = StrictHead::new();
    let steps: [(&[u8], Part, u64); 6] = [
        (b"", Part::Between, 0),
        (b"G", Part::Head, 0),
        (b"ET / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", Part::Body, 1),
        (b"ab", Part::Body, 1),
        (b"c", Part::Between, 1),
        (b"GET / HTTP/1.1\r\n\r\n", Part::Between, 2),
    ];
    for (bytes, part, heads) in steps {
        strict.follow(bytes).unwrap();
        assert_eq!((strict.part(), strict.heads()), (part, heads), "{bytes:?}");
    }
}

#[test]
fn names_are_made_of_the_characters_the_standard_lists() {
    let listed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for byte in 0..=255_u8 {
        assert_eq!(is_token(byte), listed.as_bytes().contains(&byte), "{byte}");
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn body() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..40)
    }

    fn by_length() -> impl Strategy<Value = Vec<u8>> {
        body().prop_map(|body| {
            let head = format!("POST /x HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
            [head.as_bytes(), &body].concat()
        })
    }

    fn chunk(body: &[u8]) -> Vec<u8> {
        [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n"].concat()
    }

    fn in_chunks() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(body(), 0..4).prop_map(|bodies| {
            let mut bytes = b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            let full = bodies.iter().filter(|body| !body.is_empty());
            full.for_each(|body| bytes.extend(chunk(body)));
            bytes.extend(b"0\r\n\r\n");
            bytes
        })
    }

    proptest! {
        #[test]
        fn whatever_a_body_holds_the_requests_are_told_apart(
            requests in prop::collection::vec(prop_oneof![by_length(), in_chunks()], 1..6),
            piece in 1..50_usize,
        ) {
            let bytes = requests.concat();
            let pieces: Vec<&[u8]> = bytes.chunks(piece).collect();
            let (strict, verdict) = follow(&pieces);
            prop_assert_eq!(verdict, Ok(()));
            prop_assert_eq!((strict.part(), strict.heads()), (Part::Between, requests.len() as u64));
        }

        #[test]
        fn one_byte_changed_is_judged_alike_in_every_split(
            request in prop_oneof![by_length(), in_chunks()],
            at in any::<prop::sample::Index>(),
            byte in prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(0), any::<u8>()],
        ) {
            let mut bytes = request;
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let (_, Err(broken)) = in_every_split("changed", &bytes) {
                prop_assert_eq!(follow(&[&bytes[..broken.at]]).1, Ok(()));
            }
        }
    }
}
