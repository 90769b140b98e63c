//! Secrets by their form, and the packs that they come in.

use regex::Regex;

use super::checks::{self, Check};

/// What a text must hold before a pattern is tried: finding that out costs little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// One of these texts, in any case.
    Words(&'static [&'static str]),
    /// At least so many digits.
    Digits(usize),
    /// An `@`.
    At,
    /// At least so many colons or hyphens.
    Colons(usize),
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
    /// The group `secret`, or else the whole match, is what is masked.
    pub(super) regex: Regex,
    pub(super) check: Check,
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
            regex: Regex::new(pattern).expect("the patterns of the packs are tested"),
            check,
        })
    }
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
                r#"(?i)\b(?:set-)?cookie["']?\s*[:=]\s*(?P<secret>[^\r\n]+)"#,
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
            (
                "slack_token",
                Trigger::Words(&["xox", "hooks.slack.com"]),
                r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bhooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/]+)",
                checks::always,
            ),
            (
                "stripe_key",
                Trigger::Words(&["_live_", "_test_", "whsec_"]),
                r"\b[spr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9]{16,}",
                checks::always,
            ),
            ("openai_key", Trigger::Words(&["sk-"]), r"\bsk-[A-Za-z0-9_-]{20,}", checks::is_token),
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
            ("ssn", Trigger::Digits(9), r"\b\d{3}-\d{2}-\d{4}\b", checks::is_ssn),
            (
                "phone",
                Trigger::Digits(7),
                r"\+\d{1,3}(?:[ .()/-]{0,2}\d){6,12}\b|\(\d{3}\) ?\d{3}[ .-]\d{4}\b|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b",
                checks::always,
            ),
            ("mac", Trigger::Colons(5), r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", checks::always),
            (
                "ipv6",
                Trigger::Colons(2),
                r"(?:^|[^\w:.])(?P<secret>(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4})?(?:%\w+)?)",
                checks::is_ipv6,
            ),
            (
                "ipv4",
                Trigger::Digits(4),
                r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b",
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
            ("card", Trigger::Digits(13), r"\b\d(?:[ -]?\d){12,18}\b", checks::is_card),
            ("iban", Trigger::Digits(8), r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b", checks::is_iban),
        ],
    },
];
