//! Links in mails, and those that do not open.

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use dropcast_domain::{
    link::{Link, LinkKeys},
    output::MARKED_FILE,
    run::Run,
};
use dropcast_tests::{Stack, Upload};

use crate::{checks::succeeded, world::scenarios};

scenarios![
    a_link_opens_any_number_of_times,
    a_link_that_was_tampered_with_is_refused,
    an_expired_link_is_refused,
    a_link_to_what_the_run_did_not_publish_is_refused,
    a_revoked_link_is_refused,
    a_link_opens_the_marked_copy_of_a_rejected_sheet,
];

/// Unix seconds in the year 2100.
const FAR: i64 = 4_102_444_800;

/// The links of a mail's text, in their order.
pub(crate) fn links_in(text: &str) -> Vec<String> {
    let words = text.split_whitespace();
    let links = words.filter(|word| word.starts_with("http") && word.contains("/r/"));
    links.map(str::to_owned).collect()
}

/// The key that signs links, as the functions get it.
pub(crate) async fn secret(stack: &Stack) -> Result<String> {
    let id = stack.physical_id("LinkSecret").await?;
    let answer = stack
        .secrets
        .get_secret_value()
        .secret_id(id)
        .send()
        .await?;
    answer.secret_string.context("the secret's text")
}

/// A run with published outputs, and the links in its mail.
async fn published(stack: &Stack, name: &str) -> Result<(Run, Vec<String>)> {
    let model = stack.model("echo").await?;
    let (_, ended) = stack.run(&Upload::new(&model, name, "{}")).await?;
    succeeded(&ended)?;
    let mail = stack.mail(&ended.run.id).await?;
    let links = links_in(&mail.text);
    ensure!(links.len() == 3, "{}", mail.text);
    Ok((ended.run, links))
}

/// Opening a link gives a short, plain page with this status and these words.
async fn is_refused(stack: &Stack, link: &str, status: u16, words: &str) -> Result<()> {
    let page = stack.open(link).await?;
    let text = page.text();
    ensure!(
        page.status == status,
        "{status} for {link}: {}",
        page.status
    );
    ensure!(text.contains(words), "no “{words}” in {text}");
    ensure!(text.len() < 2_000 && page.header("location").is_empty());
    ensure!(page.header("content-type") == "text/html; charset=utf-8");
    Ok(())
}

/// A link with a token.
fn link_with(stack: &Stack, token: &str) -> Result<String> {
    Ok(format!("{}/r/{token}", stack.output("LinkBaseUrl")?))
}

/// A link that the deployment's own key signs.
async fn signed(stack: &Stack, link: &Link) -> Result<String> {
    let keys = LinkKeys::parse(&secret(stack).await?)?;
    link_with(stack, &keys.sign(link))
}

async fn a_link_opens_any_number_of_times(stack: &Stack) -> Result<()> {
    let (_, links) = published(stack, "many-times.json").await?;
    let link = links.first().context("a link")?;
    for _ in 0..5 {
        let page = stack.open(link).await?;
        assert_eq!(page.status, 302);
        let target = page.header("location");
        assert!(target.contains("X-Amz-Expires=300&"), "{target}");
    }
    Ok(())
}

async fn a_link_that_was_tampered_with_is_refused(stack: &Stack) -> Result<()> {
    let (_, links) = published(stack, "tampered.json").await?;
    let tokens: Vec<&str> = links
        .iter()
        .filter_map(|link| link.rsplit('/').next())
        .collect();
    let [first, second, ..] = tokens.as_slice() else {
        anyhow::bail!("{links:?}");
    };
    let (payload, signature) = first.split_once('.').context("a token's parts")?;
    let (other_payload, _) = second.split_once('.').context("a token's parts")?;
    let flipped = if payload.starts_with('e') { "f" } else { "e" };
    let rest = payload.get(1..).unwrap_or_default();
    let another_key = format!(r#"{{"current":"k1","k1":"{}"}}"#, "x".repeat(64));
    let another_key = LinkKeys::parse(&another_key)?;
    let (run, _) = published(stack, "tampered-other-key.json").await?;
    let forged = another_key.sign(&Link {
        run: run.id.clone(),
        path: "copy.json".to_owned(),
        expires: FAR,
        epoch: 0,
    });
    for token in [
        format!("{flipped}{rest}.{signature}"),
        format!("{other_payload}.{signature}"),
        payload.to_owned(),
        format!("{payload}."),
        forged,
        "a.b".to_owned(),
        "a".repeat(3_000),
    ] {
        let link = link_with(stack, &token)?;
        is_refused(stack, &link, 403, "This link is not valid")
            .await
            .with_context(|| format!("token {token:.60}"))?;
    }
    Ok(())
}

async fn an_expired_link_is_refused(stack: &Stack) -> Result<()> {
    let (run, _) = published(stack, "expired.json").await?;
    let link = |expires| Link {
        run: run.id.clone(),
        path: "copy.json".to_owned(),
        expires,
        epoch: 0,
    };
    // The signature is good: a later expiry opens.
    let good = signed(stack, &link(FAR)).await?;
    assert_eq!(stack.open(&good).await?.status, 302);
    let expired = signed(stack, &link(run.current.at.as_second() - 1)).await?;
    is_refused(stack, &expired, 410, "This link has expired").await
}

async fn a_link_to_what_the_run_did_not_publish_is_refused(stack: &Stack) -> Result<()> {
    let (run, _) = published(stack, "unpublished.json").await?;
    for path in ["extra/environment.txt", "../../../input/unpublished.json"] {
        let link = Link {
            run: run.id.clone(),
            path: path.to_owned(),
            expires: FAR,
            epoch: 0,
        };
        let link = signed(stack, &link).await?;
        is_refused(stack, &link, 410, "This file was deleted").await?;
    }
    Ok(())
}

async fn a_revoked_link_is_refused(stack: &Stack) -> Result<()> {
    let (run, links) = published(stack, "revoked.json").await?;
    let link = links.first().context("a link")?;
    assert_eq!(stack.open(link).await?.status, 302);
    stack
        .table
        .update_item()
        .table_name(stack.output("RunsTableName")?)
        .key("PK", AttributeValue::S(format!("RUN#{}", run.id)))
        .key("SK", AttributeValue::S("RUN".to_owned()))
        .update_expression("SET linksEpoch = linksEpoch + :one")
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .send()
        .await?;
    is_refused(stack, link, 410, "This link was revoked").await
}

async fn a_link_opens_the_marked_copy_of_a_rejected_sheet(stack: &Stack) -> Result<()> {
    let model = stack.model("sheet").await?;
    let sheet = "line,year,growth\nHardware,2027,much\n";
    let (_, ended) = stack.run(&Upload::new(&model, "faulty.csv", sheet)).await?;
    let link = Link {
        run: ended.run.id,
        path: MARKED_FILE.to_owned(),
        expires: FAR,
        epoch: ended.run.links_epoch,
    };
    let page = stack.open(&signed(stack, &link).await?).await?;
    assert_eq!(page.status, 302, "{}", page.text());
    let copy = stack.open(page.header("location")).await?;
    assert_eq!(copy.status, 200, "{}", copy.text());
    assert!(copy.body.starts_with(b"PK"));
    Ok(())
}
