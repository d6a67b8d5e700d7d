//! The provisioning service against SCIM providers that nobody here wrote, started for real, and
//! against our own.
//!
//! After each change of a company's directory, people and groups are read back by plain HTTP and
//! compared with what should be there ([`model`]). What a provider is known not to do stands, each
//! with its reason, in [`limits`]; nothing else may differ.

mod company;
mod install;
mod job;
mod limits;
mod model;
mod provider;
mod read_back;

use company::Company;
use latchkey_testkit::block_on;
use limits::{Feature, Which};
use provider::Provider;

/// What happens to the company, one stage after the other, and what has to be true after each.
async fn the_company_is_kept_in_step(which: Which) {
    let mut provider = Provider::start(which).await;
    let job = job::Running::new(&provider);
    let mut company = Company::new();
    // Whoever was there before, as a workspace's owner, is nobody's business.
    let before = read_back::everything(&provider).await;
    for (stage, change) in company::STAGES {
        change(&mut company);
        provider.requests().await;
        let outcome = job.cycle(&company).await;
        let requests = provider.requests().await;
        for refusal in &outcome.refusals {
            let explained = limits::lacks(which, Feature::LastMail) && refusal.contains("emails");
            assert!(explained, "{which:?}, {stage}: {refusal}");
        }
        assert!(outcome.in_step || limits::lacks(which, Feature::LastMail), "{which:?}, {stage}: escrow");
        // Whoever is refused is tried again; nobody else is asked about.
        if *stage == company::UNCHANGED && outcome.refusals.is_empty() {
            assert_eq!(requests, [""; 0], "{which:?}: nothing has changed");
        }
        let found = read_back::everything(&provider).await;
        let mut expected = company.expected();
        expected.people.extend(before.people.clone());
        let wrong = model::differences(&expected, &found, which);
        assert!(wrong.is_empty(), "{which:?}, {stage}:\n  {}\n{requests:#?}", wrong.join("\n  "));
    }
}

#[test]
fn latchkey_is_kept_in_step() {
    block_on(the_company_is_kept_in_step(Which::Latchkey));
}

#[test]
fn scim2_server_is_kept_in_step() {
    block_on(the_company_is_kept_in_step(Which::Scim2Server));
}

#[test]
fn django_scim2_server_is_kept_in_step() {
    block_on(the_company_is_kept_in_step(Which::DjangoScim2Server));
}

#[test]
fn scimmy_routers_is_kept_in_step() {
    block_on(the_company_is_kept_in_step(Which::ScimmyRouters));
}

#[test]
fn better_auth_scim_is_kept_in_step() {
    block_on(the_company_is_kept_in_step(Which::BetterAuthScim));
}
