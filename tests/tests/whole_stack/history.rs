//! The example model on a real database server: its password comes as a secret, and a connection
//! that breaks in the middle is reported to the uploader.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Result, ensure};
use dropcast_domain::{failure::ErrorCode, status::Status};
use dropcast_tests::{FlakyConnection, Postgres, Stack, Upload};

use crate::{
    checks::{ended_with, flat, reports_failure, succeeded},
    command_line::dropcast,
    secrets::haystack,
    world::scenarios,
};

const ANA: &str = "ana@corp.example";
const PASSWORD: &str = "kept-to-ourselves-7213";
/// Where the version's manifest says that the address is; the rest of the name is the model's.
const SECRET: &str = "history-database";
/// Five years of two product lines that grow.
const HISTORY: &str = "CREATE TABLE monthly_revenue AS SELECT line AS product_line, month::date, \
    (100000 + 1000 * (extract(year FROM month) - 2021) + 500 * extract(month FROM month))::numeric(14, 2) AS revenue \
    FROM unnest(ARRAY['Hardware', 'Services']) AS line, \
    generate_series('2021-01-01'::date, '2025-12-01'::date, '1 month') AS month";

scenarios![the_history_comes_from_a_database_and_a_lost_connection_is_reported];

async fn the_history_comes_from_a_database_and_a_lost_connection_is_reported(
    stack: &Stack,
) -> Result<()> {
    let postgres = Postgres::start(PASSWORD).await?;
    postgres.sql(HISTORY).await?;
    let model = pushed(stack).await?;
    let secret = format!("{}{model}/{SECRET}", stack.output("SecretPrefix")?);
    let create = stack.secrets.create_secret().name(&secret);
    let address = postgres.url(postgres.address());
    create.secret_string(address).send().await?;
    let file = Upload::new(&model, "plain.json", "{}").notify(ANA);
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    let outputs = ended.run.outputs.iter();
    let forecast = outputs.filter(|output| output.path == "forecast.csv");
    let key = forecast
        .map(|output| output.key.as_str())
        .collect::<String>();
    let forecast = String::from_utf8(stack.result(&key).await?)?;
    ensure!(forecast.contains("Services"), "{forecast}");

    let line = FlakyConnection::to(postgres.address(), "monthly_revenue").await?;
    let put = stack.secrets.put_secret_value().secret_id(&secret);
    let address = postgres.url(line.address());
    put.secret_string(address).send().await?;
    let file = Upload::new(&model, "again.json", "{}").notify(ANA);
    let (_, ended) = stack.run(&file).await?;
    ensure!(
        line.broke(),
        "{} and {:?}",
        ended.failure(),
        ended.run.outputs
    );
    ended_with(
        &ended,
        Status::Failed,
        ErrorCode::JobFailed,
        &["exit code 1"],
    )?;
    let mail = stack.mail(&ended.run.id).await?;
    reports_failure(&mail, &ended, ANA)?;
    // The mail quotes the model's last lines behind bars.
    let text = flat(&mail.text).replace(" | ", " ");
    for words in [
        "was lost while the history was being read",
        "Upload the file again in a few minutes",
    ] {
        ensure!(text.contains(words), "{text}");
    }
    for (place, text) in haystack(stack, &ended.run.id).await? {
        ensure!(!text.contains(PASSWORD), "the password is in {place}");
    }
    postgres.stop().await
}

/// The example model under a name of its own, with the address of its history as a secret.
async fn pushed(stack: &Stack) -> Result<String> {
    const NAME: &str = "forecast-from-server";
    let folder = stack.copy_of_model(Path::new("models/revenue-forecast"), NAME)?;
    let manifest = folder.join("model.toml");
    let mut text = fs::read_to_string(&manifest)?;
    writeln!(text, "\n[job.secrets]\nHISTORY_DATABASE_URL = \"{SECRET}\"")?;
    fs::write(&manifest, text)?;
    let folder = folder.to_string_lossy();
    let pushed = dropcast(stack, &["model", "push", &folder, "--timeout", "120s"]).await?;
    pushed.is(0, "pushed")?;
    Ok(NAME.to_owned())
}
