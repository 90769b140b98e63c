//! Several processes write one file that is rolled over: each record is whole, and there once.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::{env, fs, io};

use duramen::handler::RotatingFileHandler;
use duramen::rotation::{Customs, SizeLimit};
use duramen::writer::FileWriter;
use duramen::{get_logger, manager, root, warning};

const PROCESSES: usize = 3;
const RECORDS: usize = 200;

fn main() -> io::Result<()> {
    let folder = env::temp_dir().join("duramen-example-processes");
    if let Some(worker) = env::args().nth(1) {
        work(&folder, &worker);
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    let start = |number: usize| Command::new(env::current_exe()?).arg(number.to_string()).spawn();
    let workers = (0..PROCESSES).map(start).collect::<io::Result<Vec<_>>>()?;
    for mut worker in workers {
        worker.wait()?;
    }
    let files = fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()?;
    let texts = files.iter().map(|file| fs::read_to_string(file.path())).collect::<io::Result<Vec<_>>>()?;
    let lines: usize = texts.iter().map(|text| text.lines().count()).sum();
    println!("{lines} of {} records; rolled over: {}", PROCESSES * RECORDS, files.len() > 1);
    fs::remove_dir_all(folder)
}

fn work(folder: &Path, worker: &str) {
    let file = FileWriter::new(folder.join("shop.log"));
    let handler = RotatingFileHandler::new(file, SizeLimit::new(4_000, 100), Customs::default());
    root().add_handler(Arc::new(handler));
    for number in 0..RECORDS {
        warning!(get_logger("shop"), "record {number} of worker {worker}");
    }
    manager::shutdown();
}
