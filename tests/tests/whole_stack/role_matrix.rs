//! Invariant 8 in full: every role's access to every prefix is checked for every action, and what
//! its function's ports do not do is denied. `ports` says what they do; a role that is not in it fails the test.
//!
//! That is items, objects and secrets. For all other services, `infra/lint/role_matrix.py` evaluates
//! the policies in the templates.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use dropcast_tests::{
    Stack,
    permissions::{AccessCheck, Action, MODEL, ResourceKind},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use crate::{
    attack::{pushed, role_of},
    world::scenarios,
};

/// Tries at a time.
const AT_ONCE: usize = 8;

scenarios![
    invariant_8_a_role_may_do_on_each_prefix_what_its_functions_ports_do_and_nothing_else,
    invariant_8_a_models_role_ends_at_its_own_model,
];

use Action::{
    DeleteItem, DeleteObject, GetItem, GetObject, GetObjectVersion, GetSecretValue, List,
    ListVersions, PutItem, PutObject, PutObjectIfAbsent, Query, UpdateItem,
};
use ResourceKind::{
    Builds, Cache, Input, InputOfOther, Inputs, LinkSecret, Listing, Mails, MailsDue, Manifest,
    Marked, ModelSecret, Models, ModelsByName, NoModel, OpenRuns, Outputs, OutputsOfOther,
    Prepared, Problems, RefreshUploads, Refreshes, Runs, Sources, Tokens, VersionFiles,
};

/// What the ports of the function with this role do, and on what.
fn ports(role: &str) -> Option<&'static [(Action, &'static [ResourceKind])]> {
    Some(match role {
        // Runs::create_if_absent notes the first step of the timeline too.
        "StartRunRole" => &[(PutItem, &[Runs]), (UpdateItem, &[Runs])],
        "ValidateInputsRole" => &[
            (GetItem, &[Runs, Models]),
            (UpdateItem, &[Runs]),
            (Query, &[Models, ModelsByName]),
            (GetObjectVersion, &[Inputs, RefreshUploads]),
            (List, &[Inputs, RefreshUploads]),
            (
                PutObject,
                &[Input, InputOfOther, Prepared, Problems, Marked, NoModel],
            ),
            (
                PutObjectIfAbsent,
                &[Input, InputOfOther, Prepared, Problems, Marked, NoModel],
            ),
        ],
        "SubmitJobRole" => &[
            (GetItem, &[Runs, Models]),
            (UpdateItem, &[Runs]),
            (PutItem, &[Tokens]),
            (DeleteItem, &[Tokens]),
        ],
        "TrackJobRole" => &[
            (GetItem, &[Runs, Tokens]),
            (UpdateItem, &[Runs]),
            (PutItem, &[Runs]),
            (DeleteItem, &[Tokens]),
        ],
        "IndexOutputsRole" => &[
            (GetItem, &[Runs, Models]),
            (UpdateItem, &[Runs]),
            (GetObject, &[Listing]),
            (List, &[Outputs, Listing, OutputsOfOther]),
            (ListVersions, &[Outputs, Listing, OutputsOfOther]),
            (PutObject, &[Manifest]),
            (PutObjectIfAbsent, &[Manifest]),
        ],
        "FinishRunRole" => &[
            (GetItem, &[Runs]),
            (UpdateItem, &[Runs]),
            (PutItem, &[Mails]),
        ],
        "RepairRunsRole" => &[
            (GetItem, &[Runs, Tokens]),
            (PutItem, &[Runs, Mails]),
            (UpdateItem, &[Runs, Mails]),
            (DeleteItem, &[Tokens, Mails]),
            (Query, &[OpenRuns, MailsDue]),
            (ListVersions, &[Inputs, RefreshUploads]),
        ],
        // They use neither the table nor a bucket.
        "AnnounceRunRole" | "RunStateMachineRole" => &[],
        "JobExecutionRole" => &[(GetSecretValue, &[ModelSecret])],
        "ModelBuildsRole" => &[
            (GetObject, &[Sources]),
            (GetObjectVersion, &[Sources]),
            (PutObject, &[VersionFiles]),
            (PutObjectIfAbsent, &[VersionFiles]),
        ],
        "NotifyRole" => &[
            (GetItem, &[Runs, Models, Builds, Mails]),
            (UpdateItem, &[Mails]),
            (DeleteItem, &[Mails]),
            (GetObject, &[Prepared, Problems, NoModel, Marked]),
            (GetObjectVersion, &[Outputs, Listing, OutputsOfOther]),
            (GetSecretValue, &[LinkSecret]),
        ],
        "OpenLinkRole" => &[
            (GetItem, &[Runs]),
            (GetObject, &[Marked]),
            (GetObjectVersion, &[Outputs, Listing, OutputsOfOther]),
            (GetSecretValue, &[LinkSecret]),
        ],
        "RegisterVersionRole" => &[
            (GetItem, &[Models, Builds]),
            (PutItem, &[Models, Builds]),
            (UpdateItem, &[Models]),
            (GetObject, &[VersionFiles]),
            (List, &[VersionFiles]),
        ],
        "StartRefreshesRole" => &[
            (GetItem, &[Models, Refreshes]),
            (PutItem, &[Refreshes]),
            (Query, &[ModelsByName]),
            (PutObject, &[RefreshUploads]),
            (PutObjectIfAbsent, &[RefreshUploads]),
        ],
        _ => return None,
    })
}

/// What a model's job does, and on what.
const JOB: &[(Action, &[ResourceKind])] = &[
    // It asks for the outputs whose upload's answer was lost.
    (GetObject, &[Input, Prepared, Outputs, Listing, Cache]),
    (PutObjectIfAbsent, &[Outputs, Listing, Cache]),
    (PutObject, &[Cache]),
    (DeleteObject, &[Cache]),
    (List, &[Cache]),
];

async fn invariant_8_a_role_may_do_on_each_prefix_what_its_functions_ports_do_and_nothing_else(
    stack: &Stack,
) -> Result<()> {
    let mut wrong = Vec::new();
    for (logical, role) in stack.roles().await? {
        let ports =
            ports(&logical).with_context(|| format!("{logical} is in the table of ports"))?;
        wrong.extend(differences(stack, &logical, &role, MODEL, ports).await?);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn invariant_8_a_models_role_ends_at_its_own_model(stack: &Stack) -> Result<()> {
    let model = "matrix";
    pushed(stack, model).await?;
    let role = role_of(stack, model).await?;
    let mut wrong = differences(stack, "the model's role", &role, model, JOB).await?;

    // Its policy ends it there without the boundary, and its boundary whatever its policy says.
    let name = role.rsplit('/').next().context("the role's name")?;
    let known = stack.iam.get_role().role_name(name).send().await?.role;
    let boundary = known.and_then(|role| role.permissions_boundary?.permissions_boundary_arn);
    let boundary = boundary.context("the role's boundary")?;
    let unbounded = stack.iam.delete_role_permissions_boundary();
    unbounded.role_name(name).send().await?;
    wrong.extend(differences(stack, "the policy alone", &role, model, JOB).await?);

    let bounded = stack.iam.put_role_permissions_boundary().role_name(name);
    bounded.permissions_boundary(boundary).send().await?;
    let everything = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
    });
    let policy = stack.iam.put_role_policy().role_name(name);
    let policy = policy.policy_name("everything");
    let policy = policy.policy_document(everything.to_string());
    policy.send().await?;
    wrong.extend(differences(stack, "the boundary alone", &role, model, JOB).await?);
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Where a role may do something else than the ports do.
async fn differences(
    stack: &Stack,
    name: &str,
    role: &str,
    model: &str,
    ports: &[(Action, &[ResourceKind])],
) -> Result<Vec<String>> {
    let expected: BTreeSet<AccessCheck> = ports
        .iter()
        .flat_map(|(action, resources)| resources.iter().map(|resource| (*action, *resource)))
        .map(|(action, resource)| AccessCheck { action, resource })
        .collect();
    let all: BTreeSet<AccessCheck> = AccessCheck::all().into_iter().collect();
    ensure!(expected.is_subset(&all), "{name}: every port is checked");
    let caller = stack.caller(role, model).await?;
    let caller = &caller;
    let checks: Vec<(AccessCheck, bool)> = stream::iter(all)
        .map(|one| async move { anyhow::Ok((one, caller.may(one).await?)) })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
        .with_context(|| name.to_owned())?;
    ensure!(checks.len() > 150, "{} checks", checks.len());
    Ok(checks
        .into_iter()
        .filter(|(one, allowed)| *allowed != expected.contains(one))
        .map(|(AccessCheck { action, resource }, allowed)| {
            let may = if allowed { "may" } else { "may not" };
            format!("{name} {may} {action:?} {resource:?}")
        })
        .collect())
}
