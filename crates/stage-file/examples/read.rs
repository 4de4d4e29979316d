//! Reads a stage file with many stages and prints how long that took: `cargo run --release -p stage-file --example
//! read -- 5000`.

use std::path::Path;
use std::time::Instant;

use stage_file::StageFile;

fn main() {
    let most: usize = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(5000);
    for stages in [most / 8, most / 4, most / 2, most] {
        for (what, tier) in [("a tier each", true), ("one tier", false)] {
            let mut text =
                "[defaults]\nhost = \"domino.example.com\"\nproject = \"team/wine\"\n".to_owned();
            for number in 0..stages {
                let tier = if tier {
                    format!("tier-{number}")
                } else {
                    "small".into()
                };
                text += &format!("[stage.s{number}]\nhardware-tier = \"{tier}\"\n");
            }
            text += "[job.train]\ncommand = \"train.py\"\n[app.board]\nentry-point = \"app.sh\"\n";
            let began = Instant::now();
            let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
            println!(
                "{stages} stages with {what}: {:?}, {} warnings",
                began.elapsed(),
                file.warnings().len()
            );
        }
    }
}
