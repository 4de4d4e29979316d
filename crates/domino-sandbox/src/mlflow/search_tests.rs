//! The searches of our own experiment manager against what real servers answered, a line each: what is searched, its
//! filter (`?`), order (`^`, several joined by `&`) or limit (`#`), and the names that were found, with a `+` where more
//! follow, or the status. Both 3.17.2 and 2.22.5 answered so; where they differ, 2.22.5 is told after `||`.

use axum::http::Method;
use serde_json::{Value, json};

use super::input::Input;
use super::own::OwnMlflow;
use super::refusal::Refusal;
use crate::clock::Clock;

const SEARCHES: &str = include_str!("search_tests/searches.txt");

/// What differs and may: line 3 answers 500 with a page to the first two, where line 2 refuses; both answer the next two
/// with no result and a token, and 500 to two names of one column.
const DIFFERENT: [&str; 5] = [
    "models ? tags.team IS NULL",
    "ver ? tags.n IS NULL",
    "models # 0",
    "models # -1",
    "models ^ timestamp & last_updated_timestamp",
];

/// A server with what the real ones had, too.
struct Server {
    own: OwnMlflow,
    clock: Clock,
    one: String,
}

impl Server {
    fn call(&self, method: Method, route: &str, body: Value) -> Result<Value, Refusal> {
        // No two things are of one time.
        self.clock.set_skew(self.clock.skew() + 1);
        self.own.answer("ann", &method, route, Input::of(body))
    }

    fn made(&self, route: &str, body: Value) -> Value {
        self.call(Method::POST, route, body).unwrap()
    }

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let mut server = Server {
            own: OwnMlflow::new(folder.path(), clock.clone()),
            clock,
            one: String::new(),
        };
        for name in ["alpha", "beta", "gamma"] {
            let tags = json!([{ "key": "team", "value": name[..1] }]);
            server.made("experiments/create", json!({ "name": name, "tags": tags }));
        }
        server.made("experiments/delete", json!({ "experiment_id": "3" }));
        server.add_runs();
        server.add_versions();
        server
    }

    fn add_runs(&mut self) {
        let runs = [
            ("one", json!(0.5), "x", "1"),
            ("two", json!(0.25), "y", "2"),
            ("three", Value::Null, "", ""),
            ("four", json!("NaN"), "x", "1"),
        ];
        for (number, (name, auc, kind, grade)) in runs.into_iter().enumerate() {
            let started = 1_760_000_000_000_u64 + 1_000 * number as u64;
            let run = json!({ "experiment_id": "1", "run_name": name, "start_time": started, "user_id": "ann" });
            let run = self.made("runs/create", run)["run"]["info"]["run_id"].clone();
            if kind.is_empty() {
                continue;
            }
            let metric = json!([{ "key": "auc", "value": auc, "timestamp": 1, "step": 0 }]);
            let parameter = json!([{ "key": "kind", "value": kind }]);
            let tag = json!([{ "key": "grade", "value": grade }]);
            let batch =
                json!({ "run_id": run, "metrics": metric, "params": parameter, "tags": tag });
            self.made("runs/log-batch", batch);
            if name == "one" {
                self.one = run.as_str().unwrap().to_owned();
            }
            if name == "two" {
                let change = json!({ "run_id": run, "status": "FINISHED", "end_time": 1_760_000_009_000_u64 });
                self.made("runs/update", change);
                let data_set = |name: &str, digest: &str| json!({ "name": name, "digest": digest });
                let context = json!([{ "key": "mlflow.data.context", "value": "train" }]);
                let read = json!([
                    { "dataset": data_set("wines", "d1"), "tags": context }, { "dataset": data_set("beers", "d2") },
                ]);
                self.made(
                    "runs/log-inputs",
                    json!({ "run_id": run, "datasets": read }),
                );
            }
        }
    }

    fn add_versions(&self) {
        for name in ["wine", "Wine2", "beer"] {
            let tags = json!([{ "key": "team", "value": name[..1] }]);
            self.made(
                "registered-models/create",
                json!({ "name": name, "tags": tags }),
            );
        }
        for number in 0..12 {
            let run = if number < 3 { self.one.as_str() } else { "" };
            let tags = json!([{ "key": "n", "value": (number % 2).to_string() }]);
            let source = format!("s3://any/{number}");
            let version = json!({ "name": "wine", "source": source, "run_id": run, "tags": tags });
            self.made("model-versions/create", version);
        }
        let version = json!({ "name": "beer", "source": "s3://b/1" });
        self.made("model-versions/create", version);
        let change = json!({ "name": "wine", "version": "2", "description": "d" });
        self.call(Method::PATCH, "model-versions/update", change)
            .unwrap();
    }

    /// The answer to a line's search, as a line has it.
    fn answer(&self, what: &str, kind: &str, text: &str) -> String {
        let text = text.replace("$one", &self.one);
        let mut body = match kind {
            "?" => json!({ "filter": text }),
            "^" => json!({ "order_by": text.split(" & ").collect::<Vec<_>>() }),
            _ => json!({ "max_results": text.parse::<i64>().unwrap() }),
        };
        let (method, route, list, name) = match what {
            "runs" => {
                body["experiment_ids"] = json!(["1"]);
                (Method::POST, "runs/search", "runs", "/info/run_name")
            }
            "exp" => {
                if kind != "#" {
                    body["max_results"] = 50.into();
                }
                (Method::POST, "experiments/search", "experiments", "/name")
            }
            "models" => {
                let route = "registered-models/search";
                (Method::GET, route, "registered_models", "/name")
            }
            _ => {
                if kind == "^" {
                    body["filter"] = "name='wine'".into();
                }
                (
                    Method::GET,
                    "model-versions/search",
                    "model_versions",
                    "/name",
                )
            }
        };
        let found = match self.call(method, route, body) {
            Ok(found) => found,
            Err(Refusal::Error { status, .. }) => return status.as_u16().to_string(),
            Err(refusal) => panic!("{refusal:?}"),
        };
        let each = found[list].as_array().into_iter().flatten();
        let mut names: Vec<String> = each
            .map(|one| {
                let name = one.pointer(name).unwrap().as_str().unwrap();
                match one["version"].as_str() {
                    Some(version) => format!("{}{version}", &name[..1]),
                    None => name.to_owned(),
                }
            })
            .collect();
        if found["next_page_token"].is_string() {
            names.push("+".to_owned());
        }
        names.join(" ")
    }
}

#[test]
fn every_search_answers_as_real_servers_do() {
    let server = Server::new();
    let mut wrong = String::new();
    for line in SEARCHES.lines() {
        let (search, seen) = line.rsplit_once(" ->").unwrap();
        let seen = seen.split("||").next().unwrap().trim();
        let (what, asked) = search.split_once(' ').unwrap();
        let (kind, text) = asked.split_once(' ').unwrap();
        let answer = server.answer(what, kind, text);
        if answer != seen && !DIFFERENT.contains(&search) {
            wrong += &format!("{search}\n    ours {answer}\n    real {seen}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
