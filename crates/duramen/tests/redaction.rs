//! What the packs find and what they leave alone, by rule.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use duramen::redact::{Mode, Redactor};
use duramen::{Level, Value};
use proptest::prelude::*;

fn redactor(packs: &[&str]) -> Redactor {
    packs.iter().fold(Redactor::builder(), |builder, pack| builder.pack(*pack)).build().expect("packs")
}

/// Each rule with texts, in which `«…»` marks what is masked; without marks nothing is.
const CREDENTIALS: &[&str] = &[
    "Authorization: «Bearer abc.def-123»",
    "{\"authorization\": \"«Basic dXNlcjpwYXNz»\"}",
    "sent Bearer «abcdef123456» to the server",
    "a basic understanding of bearer instruments",
    "jwt «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl» expired",
    "eyJust a word.with dots",
    "key «AKIAIOSFODNN7EXAMPLE» used",
    "AKIA is a prefix, and AKIA1 no key",
    "«AIzaSyA1234567890abcdefghijklmnopqrstuv»",
    "AIza alone",
    "AccountKey=«abcdefghijklmnopqrstuvwxyz0123456789+/ABCD==»;EndpointSuffix=core",
    "the AccountKey= is missing",
    "«ghp_abcdefghijklmnopqrstuvwxyz0123456789»",
    "ghp_short",
    "«github_pat_11ABCDEFG0abcdefghijkl_mnop»",
    "«glpat-abcdefghij0123456789»",
    "glpat- is the prefix",
    "«xoxb-123456789012-abcdefABCDEF»",
    "xoxo, with love",
    "post to hooks.slack.com/services/«T000/B000/XXXX»",
    "«sk_live_abcdefghijklmnop0123»",
    "sk_live_short",
    "«sk-proj-abcdefghijklmnop0123456789»",
    "sk-i-run-on-snow",
    "-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END RSA PUBLIC KEY-----",
    "before «-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\n-----END RSA PRIVATE KEY-----» after",
    "«-----BEGIN PRIVATE KEY-----\ncut off»",
    "password=«hunter2» next",
    "password: «hunter2», user: ada",
    "DB_PASSWORD=«hunter2»",
    "{\"password\": \"«hun ter\\\"2»\", \"user\": \"ada\"}",
    "{'secret': '«a b»'}",
    "{\\\"password\\\": \\\"«x»\\\", \\\"n\\\": 1}",
    "{\\\"password\\\": \\\"«a \\\\\\\"b»\\\"}",
    "password=«\"cut_off»",
    "{\\\"password\\\": «\\\"cut_off»",
    "token:«abc»",
    "api_key=«abc»&x=1",
    "the password is hidden",
    "passwords are hard; tokens too",
    "tokenizer=fast",
    "https://ada:«s3cr3t»@example.org/path",
    "postgresql://app:«p:w@d»@db:5432/shop",
    "redis://:«pw»@cache:6379/0",
    "https://example.org:8080/path?mail=a@b",
    "https://example.org/cb?code=«abc»&state=1&access_token=«xyz»#f",
    "GET /blob?sv=2020&sig=«abc%2F» HTTP/1.1",
    "Cookie: «session=abc; theme=dark»",
    "Set-Cookie: «id=1; HttpOnly»\r\nHost: x",
    "two cookies were eaten",
    "made «Zx8Kq1Lm9Vb3Tn7Rp5Ws2Yd4Hf6Jg0Ca» by chance",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "id 123e4567-e89b-12d3-a456-426614174000",
    "AVeryLongClassNameWithoutAnyDigitsInItAtAllReally",
];

const PII: &[&str] = &[
    "mail to «ada.lovelace+x@example.co.uk» now",
    "user@localhost and @decorator",
    "ssn «078-05-1120»",
    "000-12-3456 and 666-12-3456 and 912-12-3456 are none",
    "call «+49 30 1234567» or «(555) 123-4567» or «555-123-4567»",
    "on 2024-03-01 12:30:45 took 1234567 ms",
    "from «192.168.0.17» port 80",
    "version 1.2.3 and 300.1.1.1",
    "from «2001:db8::1» and [«fe80::1%eth0»] and «::ffff:10.0.0.1»",
    "std::io::Error at 12:30:45 in foo::bar",
    "mac «00:1b:44:11:3a:b7» or «00-1B-44-11-3A-B7»",
    "00:1b:44 is half of one",
];

const FINANCIAL: &[&str] = &[
    "card «4111 1111 1111 1111» or «5500-0000-0000-0004» or «378282246310005»",
    "order 4111111111111112 and 0000000000000000",
    "iban «DE89 3704 0044 0532 0130 00» or «GB29NWBK60161331926819»",
    "DE00 3704 0044 0532 0130 00",
];

fn check(redactor: &Redactor, examples: &[&str]) {
    for example in examples {
        let text = example.replace(['«', '»'], "");
        let mut expected = String::new();
        let mut rest = *example;
        while let Some((before, secret)) = rest.split_once('«') {
            expected.push_str(before);
            expected.push_str("***");
            rest = secret.split_once('»').expect("closed").1;
        }
        expected.push_str(rest);
        assert_eq!(redactor.text(&text), expected, "{example}");
    }
}

#[test]
fn each_pack_finds_its_secrets_and_no_others() {
    check(&redactor(&["credentials"]), CREDENTIALS);
    check(&redactor(&["pii"]), PII);
    check(&redactor(&["financial"]), FINANCIAL);
}

/// For each rule of the packs a text in which it finds something, and one that looks alike and stays as it is.
const BY_RULE: &[(&str, &str, &str)] = &[
    (
        "private_key",
        "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----",
        "a PRIVATE KEY is lost",
    ),
    ("cookie", "Cookie: a=b", "a cookie jar"),
    ("authorization", "Authorization: Digest abc", "authorization was refused"),
    ("bearer", "Bearer abcdef123456", "bearer instruments"),
    ("jwt", "eyJhbGciOi.eyJzdWIiOi.c2ln", "eyJ.a.b"),
    ("aws_key", "ASIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLEX"),
    ("gcp_key", "ya29.a0AfH6SMBabcdefghijkl", "ya29.short"),
    ("azure_key", "SharedAccessKey=abcdefghijklmnopqrstuvwx=", "SharedAccessKey=short"),
    ("github_token", "ghs_abcdefghijklmnopqrstuvwxyz0123456789", "ghs_abc"),
    ("gitlab_token", "glpat-abcdefghij0123456789", "glpat-abc"),
    ("slack_token", "xoxp-1234567890-abc", "xoxp-123"),
    ("slack_webhook", "https://hooks.slack.com/services/T0/B0/X0", "hooks.slack.com is up"),
    ("stripe_key", "whsec_abcdefghijklmnop", "rk_test_abc"),
    ("openai_key", "sk-abcdefghijklmnop0123456789", "sk-learn-based-classification-model"),
    ("url_password", "amqp://guest:guest@mq/", "amqp://guest@mq/ at 10:30"),
    ("url_secret", "/cb?signature=abc", "/cb?design=abc"),
    ("assignment", "client_secret: abc", "the secret of success"),
    ("high_entropy", "Zx8Kq1Lm9Vb3Tn7Rp5Ws2Yd4Hf6Jg0Ca", "3f786850e387550fdab836ed7e6dc881de23001b"),
    ("email", "o'hara.j+x@mail.example.org", "ada@localhost"),
    ("ssn", "219-09-9999", "666-09-9999 and 2024-05-0100"),
    ("phone", "+1 (212) 555-0100", "1234567 rows, 12-3456"),
    ("mac", "aa:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee and 12:30:45:10:20"),
    ("ipv6", "2001:db8:0:0:0:0:0:1", "std::fmt and 12:30:45"),
    ("ipv4", "255.255.255.255", "256.255.255.255 and 1.2.3"),
    ("card", "4012888888881881", "4012888888881882"),
    ("iban", "FR14 2004 1010 0505 0001 3M02 606", "FR15 2004 1010 0505 0001 3M02 606"),
];

#[test]
fn every_rule_finds_what_it_is_for_and_leaves_what_looks_alike() {
    let all = ["credentials", "pii", "financial"];
    let rules = redactor(&all).counts();
    let named: Vec<_> = rules
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !["key", "failed"].contains(name))
        .collect();
    assert_eq!(named, BY_RULE.iter().map(|(rule, ..)| *rule).collect::<Vec<_>>());
    for (rule, finds, leaves) in BY_RULE {
        // Of its own pack, as another one's rules may find a part of it first.
        let packs =
            all.into_iter().filter(|pack| redactor(&[*pack]).counts().iter().any(|(name, _)| name == rule));
        let redactor = redactor(&packs.collect::<Vec<_>>());
        let masked = redactor.text(finds).into_owned();
        assert!(masked.contains("***"), "{rule}: {masked}");
        let counted = redactor.counts().into_iter().find(|(name, _)| name == rule);
        assert_eq!(counted, Some(((*rule).to_owned(), 1)), "{rule}: {masked}");
        assert_eq!(redactor.text(leaves), *leaves, "{rule}");
    }
}

#[test]
fn masked_text_stays_as_it_is() {
    let all = redactor(&["credentials", "pii", "financial"]);
    for example in CREDENTIALS.iter().chain(PII).chain(FINANCIAL) {
        let text = example.replace(['«', '»'], "");
        let once = all.text(&text).into_owned();
        assert_eq!(all.text(&once), once, "{example}");
    }
}

#[test]
fn what_was_masked_is_counted_by_rule() {
    let redactor = redactor(&["pii"]);
    let _ = redactor.text("a@b.co, c@d.co");
    assert!(redactor.counts().contains(&("email".to_owned(), 2)));
}

#[test]
fn patterns_of_ones_own_and_modes_by_rule() {
    let redactor = Redactor::builder()
        .pack("pii")
        .pattern("badge", r"badge (?P<secret>\d+)")
        .mode_of("email", Mode::TypeName)
        .mode_of("badge", Mode::Drop)
        .build()
        .expect("rules");
    assert_eq!(redactor.text("badge 17 of a@b.co"), "badge  of [email]");
}

#[test]
fn wrong_rules_are_refused_with_their_path() {
    let message =
        |builder: duramen::redact::RedactorBuilder| builder.build().expect_err("refused").to_string();
    let builder = Redactor::builder;
    assert_eq!(
        message(builder().pack("pie")),
        "packs[0]: found \"pie\", expected one of credentials, pii, financial"
    );
    assert!(message(builder().pattern("x", "(")).starts_with("patterns[\"x\"]: found regex parse error"));
    assert!(message(builder().pattern("x", "a*")).contains("does not match nothing"));
    assert!(message(builder().key("")).starts_with("keys: found \"\""));
    assert!(message(builder().mode(Mode::Pseudonym)).starts_with("pseudonym_key: found none"));
    assert!(
        message(builder().mode_of("mail", Mode::Mask)).starts_with("modes[\"mail\"]: found no such pattern")
    );
}

/// Made once: compiling the patterns takes longer than using them.
static ALL: LazyLock<Redactor> = LazyLock::new(|| redactor(&["credentials", "pii", "financial"]));

proptest! {
    #[test]
    fn any_text_is_taken(text in any::<String>()) {
        let _ = ALL.text(&text);
    }

    #[test]
    fn a_secret_is_found_in_any_surroundings(before in "[^\\\\]{0,40}", after in ".{0,40}") {
        let text = format!("{before} password=correct.horse.battery {after}");
        prop_assert!(!ALL.text(&text).contains("correct.horse"));
    }
}

#[test]
fn a_handler_writes_masked_copies() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("app.log");
    let handler = duramen::handler::FileHandler::new(&path).expect("a file");
    handler.set_formatter(Arc::new(
        duramen::formatter::JsonFormatter::builder()
            .members([("text", duramen::formatter::json::Source::by_name("message"))])
            .build()
            .expect("members"),
    ));
    handler.set_redactor(Arc::new(
        Redactor::builder().pack("credentials").pack("pii").key("user.pin").build().expect("rules"),
    ));
    let manager = duramen::Manager::new();
    let root = manager.root();
    root.add_handler(Arc::new(handler));
    let user = Value::Map(vec![
        ("pin".into(), Value::Integer(1234)),
        ("note".into(), Value::List(vec![Value::Text("mail a@b.co".into())])),
        ("a@b.co".into(), Value::Null),
    ]);
    duramen::log!(root, Level::WARNING, ["user" => user, "apiKey" => Value::Bool(true)], "token={}", "abc");
    root.handlers()[0].flush();
    let written = std::fs::read_to_string(&path).expect("the file");
    assert_eq!(
        written,
        "{\"text\": \"token=***\", \"user\": {\"pin\": \"***\", \"note\": [\"mail ***\"], \"***\": null}, \"apiKey\": \"***\"}\n"
    );
}

/// Texts that begin many secrets and hold none, or end none of those that they begin.
const BEGINNINGS: &[&str] = &[
    "a@",
    "@",
    "a.",
    "1",
    "1-",
    "4111 ",
    "1.1.1.",
    "::",
    "a:",
    "00:",
    "password=",
    "password='",
    "\"token\": \"",
    "Authorization: Basic ",
    "Bearer ",
    "eyJ",
    "eyJhbGciOi.",
    "-----BEGIN PRIVATE KEY-----",
    "https://",
    "https://a:",
    "postgres://u:p",
    "?token=",
    "&key=",
    "AKIA",
    "ghp_",
    "sk_live_",
    "Cookie: a=",
    "DE44",
    "+49 ",
    "(",
    "-",
    " ",
    "é",
];

/// A text that is eight times as long takes about eight times as long, and not 64 times.
#[test]
fn the_time_grows_with_the_length_of_the_text_and_not_with_its_square() {
    // The regular expressions have a faster way for texts that are shorter than this.
    const SHORT: usize = 256 * 1024;
    const TIMES: u32 = 8;
    let redactor = Redactor::builder().pack("credentials").pack("pii").pack("financial").build().unwrap();
    // What the machine does meanwhile for others is not counted.
    let used = || {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(used.tv_sec.cast_unsigned(), u32::try_from(used.tv_nsec).unwrap()).as_secs_f64()
    };
    let time = |text: &str| {
        let begun = used();
        std::hint::black_box(redactor.text(text));
        used() - begun
    };
    for beginning in BEGINNINGS {
        let long = beginning.repeat(SHORT * TIMES as usize / beginning.len());
        let short = beginning.repeat(SHORT / beginning.len());
        // Caches that others have emptied can lengthen one measurement, and not all of them.
        let (mut long_time, mut short_time) = (f64::INFINITY, f64::INFINITY);
        let grows_evenly = (0..40).any(|_| {
            long_time = time(&long).min(long_time);
            short_time = time(&short).min(short_time);
            long_time / short_time < 4.0 * f64::from(TIMES)
        });
        assert!(grows_evenly, "{beginning:?}: {long_time} s against {short_time} s");
    }
}
