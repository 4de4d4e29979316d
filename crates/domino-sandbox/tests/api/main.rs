//! The sandbox over real HTTP: what each route answers, what really happens behind it, what
//! faults do to it. One program for all of it, so that it is linked once.

mod approvals;
mod apps;
mod browser;
mod changes;
mod faults;
mod governance;
mod jobs;
mod logged_models;
mod logs;
mod mlflow;
mod mlflow_context;
mod model_apis;
mod older_clients;
mod pages;
mod program;
mod python_client;
mod registered_models;
mod resources;
mod runs;
mod scheduled_jobs;
mod sign_in;
mod world;
