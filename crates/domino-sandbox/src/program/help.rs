//! What `domino-sandbox --help` says after its flags: what is behind the API, and the form of a fault file.

pub(super) const HELP: &str = "\
A sandbox answers Domino's HTTP API on loopback: users, projects, hardware tiers, environments, \
jobs, their logs and schedules, apps. A job is a real process: the asked commit of the repository in a \
folder of its own, run on this machine with your rights. Everything is gone when the sandbox stops.

An app is a real process too, started by its entry point through bash and served under /apps/. In \
Domino an app listens on 0.0.0.0:8888. Here each gets a port of its own: a Python program that listens \
on 8888 is given it, any other reads it from APP_HOST and APP_PORT. With these defaults one entry point \
does for both:

    python3 -m http.server --bind \"${APP_HOST:-0.0.0.0}\" \"${APP_PORT:-8888}\"

The URL of an app takes the same credentials as the API. A browser without one gets a page with a \
button for each user; the page at / lists the apps. 5.9 has them on /v4/modelProducts, 6.2 on \
/api/apps/beta as well, 6.3 and 6.4 on /api/apps/v1 too; a deployment can switch that off, as --apps-v1 does.

Experiments, runs and registered models are kept as MLflow keeps them, under /api/2.0/mlflow of the \
same address; --mlflow leaves them to a real MLflow server. A run finds them in MLFLOW_TRACKING_URI, \
and the API in DOMINO_API_PROXY: two loopback addresses of its own that take no credential and act as \
the user whose run it is. The first is 127.0.0.1:8768, as in Domino, while that port is free. A model endpoint is python3 with the files of a registered version, or of the newest \
commit, and the endpoint's own environment variables. It is called at /models/ID/latest/model with \
its token as user and password of HTTP Basic. Domino shows such a token to people only; here every \
endpoint takes the one that the credentials file has as DOMINO_MODEL_TOKEN.

Who approves what governance asks for does so on the page at /, or with

    $ domino-sandbox approve --credentials-file sandbox.env

With python-domino:

    $ domino-sandbox --listen 127.0.0.1:8080 --credentials-file sandbox.env &
    $ . ./sandbox.env
    $ export DOMINO_API_HOST DOMINO_USER_API_KEY=$AUTHOR_API_KEY
    $ python3 -c \"from domino import Domino; Domino('author/quick-start').job_start('main.py')\"

There are the users author, approver and ci-bot. The credentials file has an API key and a token \
of each, as shell variables. The key goes into X-Domino-Api-Key, the token is a Bearer.

A fault file is TOML:

    clock-skew-seconds = -30           # how far the sandbox's clock is ahead

    [[fault]]                          # requests that go wrong
    route = \"POST /v4/jobs/start\"      # method or none, * for one segment, ** for any rest
    kind = \"reset\"                     # one of those below, with its keys
    processed = true
    after = 0                          # so many requests pass unharmed first
    times = 1                          # so many are harmed; all, when left out

    [[job]]                            # jobs that misreport themselves
    command = \"train.py\"               # those whose command contains this
    times = 1                          # so many jobs; all, when left out
    statuses = [\"Running\", \"Queued\"]   # what the first reads show
    stuck-at = \"Preparing\"             # shown for ever, once reached
    completed-lag = 3                  # reads for which isCompleted lags behind
    log-repeats = 2                    # lines that come again with each page
    log-late = 2                       # reads for which the last lines stay away
    log-complete-early = true          # each page calls itself the last
    log-never-pauses = true            # one more line at each read, until the job ends

    [[app]]                            # instances of apps that go wrong
    app = \"dashboard\"                  # of those whose name contains this
    times = 1                          # so many instances; all, when left out
    statuses = [\"Running\", \"Queued\"]   # what the first looks show
    stuck-at = \"Pulling\"               # shown for ever, once reached
    start-fails = \"ImagePullBackOff\"   # it never runs, and this is why
    stop-hangs = true                  # its stop ends only when it is forced
    stops-first = true                 # it starts only once those before it have stopped

    [[model]]                          # versions of model endpoints that go wrong
    endpoint = \"wine-prod\"             # of those whose name contains this
    times = 1                          # so many versions; all, when left out
    build-fails = true                 # with the last line of its log saying so
    statuses = [\"Stalled\"]             # what the first reads show
    stuck-at = \"Starting\"              # it really never gets any further
    dies-after = 3                     # answered requests; 0 is at once

The kinds of [[fault]], each with the keys it takes:

    kind = \"status\"          # an error, in the shape that the route gives its errors
    status = 503             # must be there
    retry-after = 1          # seconds of a Retry-After; no such header when left out
    processed = true         # it takes effect all the same; false when left out

    kind = \"reply\"           # this very reply
    status = 200             # 200 when left out
    content-type = \"text/html\"    # application/json when left out
    body = \"<p>hello</p>\"  # empty when left out

    kind = \"login-page\"      # 200 and the HTML page of a sign-in form

    kind = \"binary-forbidden\"    # 403 with bytes that are no text

    kind = \"relogin\"         # 409 with a redirectPath: sign in again

    kind = \"redirect\"        # 307 to the same path elsewhere
    origin = \"http://127.0.0.1:9\"    # must be there

    kind = \"refuse\"          # the connection is cut, and nothing listens for a while
    milliseconds = 300       # 1000 when left out

    kind = \"reset\"           # the connection is reset in place of a reply
    processed = true         # it takes effect all the same; false when left out

    kind = \"hang\"            # no reply ever comes, the connection stays open
    processed = true         # it takes effect all the same; false when left out

    kind = \"delay\"           # it is carried out and answered only after this time
    milliseconds = 300       # 1000 when left out

    kind = \"truncate\"        # half of the promised body, then the connection closes

    kind = \"cut-json\"        # a reply that is whole as HTTP and holds half of its JSON

    kind = \"trickle\"         # the body comes in pieces
    bytes = 64               # of this size; 1 when left out
    milliseconds = 20        # with this pause between; 50 when left out

    kind = \"huge\"            # 200 with that much JSON
    bytes = 100000000        # must be there

    kind = \"edit\"            # the true reply with values set and removed
    set = { \"/statuses/executionStatus\" = \"Odd\" }    # by JSON pointer; * for every element
    remove = [\"/title\"]

    kind = \"ignore-query\"    # the route does not see these parameters of the query
    names = [\"offset\"]       # must be there";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Faults;

    fn load(text: &str) -> anyhow::Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faults.toml");
        std::fs::write(&path, text).unwrap();
        Faults::default().load(&path)
    }

    /// The lines of the help that are an example, from the one that starts so.
    fn example(start: &str) -> String {
        let lines = HELP.lines();
        let lines = lines.map(|line| line.strip_prefix("    ").unwrap_or_default());
        let lines = lines.skip_while(|line| !line.starts_with(start));
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn the_fault_file_of_the_help_is_one() {
        let example = example("clock-skew");
        let (file, _) = example.split_once("kind = \"status\"").unwrap();
        assert!(file.contains("[[model]]"), "{file}");
        load(file).unwrap();
    }

    #[test]
    fn the_help_has_every_kind_of_fault_with_its_keys() {
        let example = example("kind = \"status\"");
        let mut named = Vec::new();
        for kind in example.split("\n\n") {
            load(&format!("[[fault]]\nroute = \"/**\"\n{kind}")).unwrap();
            named.push(kind.split('"').nth(1).unwrap());
        }
        // What is no kind is told all the kinds there are.
        let unknown = load("[[fault]]\nroute = \"/**\"\nkind = \"?\"\n").unwrap_err();
        let unknown = format!("{unknown:#}");
        let (_, all) = unknown.split_once("there are ").unwrap();
        let all: Vec<&str> = all
            .split([',', ' '])
            .filter(|word| !word.is_empty() && *word != "and")
            .collect();
        assert_eq!(named, all);
    }
}
