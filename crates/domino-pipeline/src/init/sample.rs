//! The sample entities, as they are in this repository: they run in the sandbox with only Python.

macro_rules! sample_file {
    ($name:literal) => {
        (
            concat!("src/project/", $name),
            include_bytes!(concat!("../../../../src/project/", $name)),
        )
    };
}

/// Each file of the sample, by its path from the top of the repository, and its content.
pub(super) const FILES: &[(&str, &[u8])] = &[
    sample_file!("jobs/train.py"),
    sample_file!("jobs/score.py"),
    sample_file!("jobs/execution.py"),
    sample_file!("jobs/experiments.py"),
    sample_file!("jobs/ridge.py"),
    sample_file!("apps/app.sh"),
    sample_file!("apps/dashboard.py"),
    sample_file!("apps/page.py"),
    sample_file!("models/predict.py"),
    sample_file!("models/smoke.jsonl"),
    sample_file!("data/wine.csv"),
    sample_file!("data/make_data.py"),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_file_of_the_sample_is_among_them() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut missing = Vec::new();
        for kind in ["jobs", "apps", "models", "data"] {
            for entry in std::fs::read_dir(top.join("src/project").join(kind)).unwrap() {
                let entry = entry.unwrap();
                let name = format!("src/project/{kind}/{}", entry.file_name().display());
                if entry.path().is_file() && !super::FILES.iter().any(|(known, _)| *known == name) {
                    missing.push(name);
                }
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }
}
