//! 429 with Retry-After, per token, where a limit is set and nowhere else.

use std::time::Duration;

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::support::scim::assert_refused;
use crate::support::text;

on_both! {
    async fn a_token_with_a_limit_is_told_when_to_come_back_and_others_are_not_slowed(server: &Server) {
        let workspace = server.workspace("pace").await;
        let api = workspace.api();
        let made =
            api.post("/scim-tokens", &json!({"name": "slow", "rate_limit": 5})).await.expect(201).json();
        assert_eq!(made["rate_limit"], json!(5), "{made}");
        let slow = workspace.scim().with_token(text(&made, "/token"));
        let (mut passed, mut refused) = (0, None);
        for _ in 0..40 {
            let answer = slow.get("/Users?count=0").await;
            match answer.status {
                200 => passed += 1,
                429 => {
                    refused = Some(answer);
                    break;
                }
                _ => panic!("{answer:?}"),
            }
        }
        let refused = refused.expect("40 requests at once are more than 5 a second");
        assert!((5..=12).contains(&passed), "{passed} passed");
        assert_refused(&refused, 429, "");
        let wait: u64 = refused.header("retry-after").expect("Retry-After").parse().expect("whole seconds");
        assert!((1..=10).contains(&wait), "{refused:?}");
        for _ in 0..60 {
            workspace.scim().get("/Users?count=0").await.expect(200);
        }
        tokio::time::sleep(Duration::from_secs(wait)).await;
        slow.get("/Users?count=0").await.expect(200);
    }
}
