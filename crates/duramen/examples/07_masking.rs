//! Secrets are masked before a line is written: known ones by packs, the program's own by the names of fields and by patterns.

use std::error::Error;
use std::sync::Arc;

use duramen::formatter::LogfmtFormatter;
use duramen::formatter::json::{JsonBuilder, Source};
use duramen::handler::StreamHandler;
use duramen::redact::{Mode, Redactor};
use duramen::{get_logger, root, warning};

fn main() -> Result<(), Box<dyn Error>> {
    let redactor = Redactor::builder()
        .pack("credentials")
        .pack("pii")
        .key("*_token")
        .pattern("ticket", r"\bT-(?P<secret>\d+)")
        .mode(Mode::TypeName)
        .mode_of("ticket", Mode::Mask)
        .build()?;
    let redactor = Arc::new(redactor);

    let formatter: LogfmtFormatter =
        JsonBuilder::default().members([("message", Source::by_name("message"))]).build_logfmt()?;
    let screen = StreamHandler::stdout();
    screen.set_formatter(Arc::new(formatter));
    screen.set_redactor(Arc::clone(&redactor));
    root().add_handler(Arc::new(screen));

    let log = get_logger("shop");
    warning!(log, "login of {} with password={}", "ada@example.org", "hunter2");
    warning!(log, "T-1234 is late"; session_token = "s3cr3t", tries = 2);

    // By rule: for a report of what the program would have written.
    for (rule, count) in redactor.counts().into_iter().filter(|(_, count)| *count > 0) {
        println!("{rule}: {count}");
    }
    Ok(())
}
