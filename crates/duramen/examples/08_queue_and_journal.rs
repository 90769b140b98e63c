//! A queue whose records outlive the process: a program that is killed leaves them in a journal, and its next start
//! writes them to the file.

use std::path::Path;
use std::process::{self, Command};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io};

use duramen::handler::{FileHandler, JournaledHandler};
use duramen::queue::Options;
use duramen::{Handler, get_logger, manager, root, spool, warning};

fn main() -> io::Result<()> {
    let folder = env::temp_dir().join("duramen-example-journal");
    if env::args().nth(1).as_deref() == Some("killed") {
        // The worker lets records gather for a while, and the process does not live so long.
        let options = Options { flush_interval: Duration::from_secs(60), ..Options::default() };
        root().add_handler(Arc::new(queue(&folder, options)?));
        for number in 0..3 {
            warning!(get_logger("shop.orders"), "order {number} accepted");
        }
        process::abort();
    }
    Command::new(env::current_exe()?).arg("killed").status()?;

    let handler = Arc::new(queue(&folder, Options::default())?);
    root().add_handler(handler.clone());
    warning!(get_logger("shop"), "started again");
    handler.flush();
    let stats = handler.stats();
    manager::shutdown();
    println!("{} recovered, {} delivered in all", stats.recovered, stats.delivered);
    print!("{}", fs::read_to_string(folder.join("shop.log"))?);
    fs::remove_dir_all(folder)
}

fn queue(folder: &Path, options: Options) -> io::Result<JournaledHandler> {
    fs::create_dir_all(folder)?;
    let file = Arc::new(FileHandler::new(folder.join("shop.log"))?);
    JournaledHandler::new(vec![file], options, &folder.join("spool"), spool::DEFAULT_SIZE)
}
