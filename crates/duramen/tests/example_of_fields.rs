//! What the example about fields writes.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;

#[path = "../examples/06_fields_and_context.rs"]
#[expect(dead_code, reason = "its main is for the example")]
mod example;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_example_of_fields_writes_the_fields_of_each_request() {
    let written = Written::default();
    example::serve(written.clone()).expect("served");
    let lines = String::from_utf8(written.0.lock().clone()).expect("text");
    let request = |id: &str| {
        format!(
            "levelname=INFO name=shop.orders message=\"2 items\" total=12.5 coupon=null state=\"Some(\\\"new\\\")\" \
             user_id=123 request_id={id}\n\
             levelname=ERROR name=shop.orders message=\"no quantity\" exc_info=\"invalid digit found in string\" \
             user_id=\"overridden by the call\" request_id={id}\n\
             levelname=INFO name=shop.mail message=sent bytes=2048 request_id={id}\n"
        )
    };
    let done = "levelname=INFO name=shop message=done requests=2\n";
    assert_eq!(lines, format!("{}{}{done}", request("7f3a"), request("7f3b")));
}
