//! What a search is told of the data sets that a run read. How they are recorded is in `run_inputs`.

use serde_json::Value;

/// The `name`, the `digest` or the `context` of each of `data_sets`.
pub(super) fn told(data_sets: &[Value], what: &str) -> Vec<String> {
    let each = data_sets.iter().filter_map(|read| match what {
        "context" => {
            let mut tags = read["tags"].as_array()?.iter();
            let context = tags.find(|tag| tag["key"] == "mlflow.data.context")?;
            context["value"].as_str()
        }
        what => read["dataset"][what].as_str(),
    });
    each.map(str::to_owned).collect()
}
