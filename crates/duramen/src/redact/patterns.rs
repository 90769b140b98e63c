//! Secrets by their form, and the packs that they come in.

use regex::Regex;

use super::checks::{self, Check};
use super::shapes::{self, Shape};

/// What a text must hold before a pattern is tried: finding that out costs little.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trigger {
    /// One of these texts, in any case.
    Words(&'static [&'static str]),
    /// At least so many digits, and this shape.
    Digits(usize, Shape),
    /// An `@`.
    At,
    /// At least so many colons or hyphens, and this shape.
    Colons(usize, Shape),
    /// A run of so many characters that keys are made of.
    Run,
    /// Nothing: it is always tried.
    Always,
}

/// A form that secrets have.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) name: String,
    pub(super) trigger: Trigger,
    pub(super) regex: Regex,
    pub(super) secret: Secret,
    pub(super) check: Check,
}

/// What of a match is masked.
#[derive(Clone, Debug)]
pub(super) enum Secret {
    /// All of it.
    Match,
    /// All but what this expression matches at its beginning, and so many bytes at its end.
    Between(Regex, usize),
    /// What its group `secret` holds, or all of it; finding groups takes longer than finding matches.
    Group,
}

/// What a pack holds.
pub(super) struct Pack {
    pub(super) name: &'static str,
    /// Rules for the names of fields.
    pub(super) keys: &'static [&'static str],
    patterns: &'static [(&'static str, Trigger, &'static str, Check)],
}

impl Pack {
    /// The pack's patterns, compiled.
    pub(super) fn patterns(&self) -> impl Iterator<Item = Pattern> {
        self.patterns.iter().map(|&(name, trigger, pattern, check)| Pattern {
            name: name.to_owned(),
            trigger,
            regex: compiled(pattern),
            secret: secret_of(pattern),
            check,
        })
    }
}

#[expect(clippy::expect_used, reason = "the patterns of the packs are tested")]
fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of the packs are tested")
}

/// The patterns of the packs have their group `secret`, if any, in no other, and what stands before it matches in
/// one way alone: it says where the secret begins. What stands behind it is a text.
fn secret_of(pattern: &str) -> Secret {
    let Some((before, secret)) = pattern.split_once("(?P<secret>") else { return Secret::Match };
    let behind = secret.rsplit_once(')').map_or(0, |(_, behind)| behind.len());
    Secret::Between(compiled(&format!("^(?:{before})")), behind)
}

pub(super) const PACKS: [Pack; 3] = [
    Pack {
        name: "credentials",
        keys: &[
            "*password*",
            "*passwd*",
            "*passphrase*",
            "*secret*",
            "*credential*",
            "*private_key*",
            "pwd",
            "token",
            "api_key",
            "access_key",
            "authorization",
            "proxy_authorization",
            "cookie",
            "set_cookie",
            "session_id",
            "auth",
            "jwt",
            "dsn",
            "connection_string",
        ],
        patterns: &[
            (
                "private_key",
                Trigger::Words(&["private key"]),
                r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
                checks::always,
            ),
            (
                "cookie",
                Trigger::Words(&["cookie"]),
                r#"(?i)\b(?:set-)?cookie["']?\s*[:=]\s*(?P<secret>\S[^\r\n]*)"#,
                checks::always,
            ),
            (
                "authorization",
                Trigger::Words(&["authorization"]),
                r#"(?i)\bauthorization["']?\s*[:=]\s*["']?(?P<secret>(?:(?:bearer|basic|digest|token|negotiate|apikey)\s+)?[^\s"',;]+)"#,
                checks::always,
            ),
            (
                "bearer",
                Trigger::Words(&["bearer", "basic"]),
                r"(?i)\b(?:bearer|basic)\s+(?P<secret>[a-z0-9._~+/=-]{8,})",
                checks::is_token,
            ),
            (
                "jwt",
                Trigger::Words(&["eyj"]),
                r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
                checks::always,
            ),
            (
                "aws_key",
                Trigger::Words(&["akia", "asia", "abia", "acca"]),
                r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
                checks::always,
            ),
            (
                "gcp_key",
                Trigger::Words(&["aiza", "ya29."]),
                r"\bAIza[0-9A-Za-z_-]{35}|\bya29\.[0-9A-Za-z_-]{20,}",
                checks::always,
            ),
            (
                "azure_key",
                Trigger::Words(&["accountkey", "sharedaccesskey"]),
                r"(?i)\b(?:Account|SharedAccess)Key=(?P<secret>[a-z0-9+/]{20,}={0,2})",
                checks::always,
            ),
            (
                "github_token",
                Trigger::Words(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"]),
                r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{22,}",
                checks::always,
            ),
            ("gitlab_token", Trigger::Words(&["glpat-"]), r"\bglpat-[A-Za-z0-9_-]{20,}", checks::always),
            ("slack_token", Trigger::Words(&["xox"]), r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", checks::always),
            (
                "slack_webhook",
                Trigger::Words(&["hooks.slack.com"]),
                r"\bhooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/]+)",
                checks::always,
            ),
            (
                "stripe_key",
                Trigger::Words(&["_live_", "_test_", "whsec_"]),
                r"\b[spr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9]{16,}",
                checks::always,
            ),
            ("openai_key", Trigger::Words(&["sk-"]), r"\bsk-[A-Za-z0-9_-]{20,}", checks::is_key),
            (
                "url_password",
                Trigger::Words(&["://"]),
                r#"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:"'<>]*:(?P<secret>[^\s/"'<>]+)@"#,
                checks::always,
            ),
            (
                "url_secret",
                Trigger::Words(&[
                    "token=",
                    "sig=",
                    "signature=",
                    "key=",
                    "secret=",
                    "password=",
                    "auth=",
                    "code=",
                    "credential=",
                ]),
                r#"(?i)[?&](?:[a-z0-9_-]*(?:token|signature|key|secret|password|credential)|sig|auth|code)=(?P<secret>[^&\s"'#<>]+)"#,
                checks::always,
            ),
            (
                "assignment",
                Trigger::Words(&[
                    "password",
                    "passwd",
                    "pwd",
                    "passphrase",
                    "secret",
                    "token",
                    "api_key",
                    "apikey",
                    "api-key",
                    "access_key",
                    "accesskey",
                    "private_key",
                ]),
                r#"(?i)(?:\b|_)(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)(?:[_-]?(?:id|value|key|hash))?\\?["']?\s*[:=]\s*(?P<secret>"(?:[^"\\]|\\.)*"|\\"(?:[^"\\]|\\\\\\"|\\[^"])*\\"|'[^']*'|\\?["']?[^\s,;&"')\]}]+)"#,
                checks::always,
            ),
            ("high_entropy", Trigger::Run, r"[A-Za-z0-9+/_-]{32,}={0,2}", checks::is_random),
        ],
    },
    Pack {
        name: "pii",
        keys: &[
            "email",
            "e_mail",
            "mail",
            "phone",
            "phone_number",
            "mobile",
            "ssn",
            "social_security_number",
            "ip",
            "ip_address",
            "remote_addr",
            "client_ip",
            "mac_address",
            "date_of_birth",
            "birthday",
        ],
        patterns: &[
            (
                "email",
                Trigger::At,
                r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
                checks::always,
            ),
            ("ssn", Trigger::Digits(9, shapes::ssn), r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", checks::is_ssn),
            (
                "phone",
                Trigger::Digits(7, shapes::phone),
                r"\+[0-9]{1,3}(?:[ .()/-]{0,2}[0-9]){6,12}\b|\([0-9]{3}\) ?[0-9]{3}[ .-][0-9]{4}\b|\b[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{4}\b",
                checks::always,
            ),
            (
                "mac",
                Trigger::Colons(5, shapes::mac),
                r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b",
                checks::always,
            ),
            (
                "ipv6",
                Trigger::Colons(2, shapes::ipv6),
                r"(?:[^\w:.]|^)(?P<secret>(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{1,4})?(?:%[0-9A-Za-z]+)?)",
                checks::is_ipv6,
            ),
            (
                "ipv4",
                Trigger::Digits(4, shapes::ipv4),
                r"\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\b",
                checks::always,
            ),
        ],
    },
    Pack {
        name: "financial",
        keys: &[
            "card_number",
            "credit_card",
            "pan",
            "cvv",
            "cvc",
            "iban",
            "account_number",
            "routing_number",
        ],
        patterns: &[
            ("card", Trigger::Digits(13, shapes::card), r"\b[0-9](?:[ -]?[0-9]){12,18}\b", checks::is_card),
            (
                "iban",
                Trigger::Digits(8, shapes::iban),
                r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b",
                checks::is_iban,
            ),
        ],
    },
];
