//! People are told once when a job needs them: by mail and by a signed webhook.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use latchkey_testkit::{Db, Server, block_on};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::scene::Scene;

/// What arrived.
type Inbox = Arc<Mutex<Vec<String>>>;

/// A mail server that takes everything (RFC 5321), as far as one message needs it.
async fn mail_server() -> (u16, Inbox) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let inbox = Inbox::default();
    let own = Arc::clone(&inbox);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take_mail(stream, Arc::clone(&own)));
        }
    });
    (port, inbox)
}

async fn take_mail(stream: TcpStream, inbox: Inbox) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut say = async |text: &str| write.write_all(format!("{text}\r\n").as_bytes()).await.is_ok();
    say("220 mail.example").await;
    let mut data: Option<String> = None;
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(mail) = &mut data {
            if line == "." {
                inbox.lock().expect("no holder panics").push(data.take().unwrap_or_default());
                say("250 taken").await;
            } else {
                mail.push_str(&line);
                mail.push('\n');
            }
            continue;
        }
        match line.get(..4).unwrap_or(&line).to_uppercase().as_str() {
            "DATA" => {
                data = Some(String::new());
                say("354 go on").await;
            }
            "QUIT" => {
                say("221 bye").await;
                return;
            }
            _ => {
                say("250 mail.example").await;
            }
        }
    }
}

/// A web server that takes everything.
async fn web_server() -> (u16, Inbox) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let inbox = Inbox::default();
    let own = Arc::clone(&inbox);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let own = Arc::clone(&own);
            tokio::spawn(async move {
                let (mut text, mut buffer) = (Vec::new(), [0; 4_096]);
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    text.extend_from_slice(&buffer[..count]);
                    let shown = String::from_utf8_lossy(&text).into_owned();
                    let length = shown.to_lowercase().split("content-length: ").nth(1).and_then(|rest| {
                        rest.split("\r\n").next().and_then(|number| number.parse::<usize>().ok())
                    });
                    let body = shown.split_once("\r\n\r\n").map(|(_, body)| body.len());
                    if let (Some(length), Some(body)) = (length, body)
                        && body >= length
                    {
                        own.lock().expect("no holder panics").push(shown);
                        let _ =
                            stream.write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n").await;
                        return;
                    }
                }
            });
        }
    });
    (port, inbox)
}

fn all(inbox: &Inbox) -> Vec<String> {
    inbox.lock().expect("no holder panics").clone()
}

async fn until(inbox: &Inbox, count: usize) -> Vec<String> {
    let begun = Instant::now();
    while all(inbox).len() < count {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", all(inbox));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    all(inbox)
}

#[test]
fn one_mail_when_it_begins_one_when_the_reason_changes_and_no_flood() {
    block_on(async {
        let (mail_port, mails) = mail_server().await;
        let (web_port, calls) = web_server().await;
        let smtp = format!("smtp://127.0.0.1:{mail_port}");
        let args = ["--smtp-url", &smtp, "--smtp-from", "Latchkey <latchkey@quarry.example>"];
        let server = Server::start_with(Db::Sqlite, env!("CARGO_BIN_EXE_latchkey"), &args).await;
        let told = format!(
            "schedule = \"1s\"\ndeletion_limit = 1\nnotify = [\"olga@quarry.example\"]\nwebhook = \"http://127.0.0.1:{web_port}/hook\"\n"
        );
        let scene = Scene::new(&server, &told).await;
        let key = json!({ "value": [{ "key": "WebhookSecret", "value": "kept between us" }] });
        scene.api.put(&scene.at("/secrets"), &key).await.expect(204);
        let mut people = Vec::new();
        for number in 0..4 {
            people.push(scene.person(&format!("p{number}@q.example")).await);
        }
        scene.start().await;
        assert!(all(&mails).is_empty(), "nothing is wrong: {:?}", all(&mails));

        // The target refuses the token: that begins a quarantine.
        let wrong = json!({ "value": [{ "key": "SecretToken", "value": "wrong" }] });
        scene.api.put(&scene.at("/secrets"), &wrong).await.expect(204);
        scene.person("new@q.example").await;
        let first = until(&mails, 1).await;
        assert!(first[0].contains("To: olga@quarry.example"), "{}", first[0]);
        assert!(first[0].contains("Subject: Latchkey: the job To the app is in quarantine"), "{}", first[0]);
        let called = until(&calls, 1).await;
        let head = called[0].to_lowercase();
        assert!(head.contains("latchkey-signature: t=") && head.contains(",v1="), "{}", called[0]);
        let body = called[0].split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        let news: Value = serde_json::from_str(body).expect("it is JSON");
        assert_eq!(news["reason"], "EncounteredQuarantineException", "{news}");
        assert!(!called[0].contains("kept between us") && !first[0].contains(&scene.app.scim_token));

        // Tried again, it is the same: nobody is told twice.
        for _ in 0..2 {
            let before = scene.status().await;
            scene.tell("/start").await;
            scene
                .until_status("tried again", |status| status["lastExecution"] != before["lastExecution"])
                .await;
        }
        assert_eq!(
            all(&mails).len(),
            1,
            "each start lifts the quarantine, and a new one for the same reason follows"
        );

        // Mended, and then too many leave at once: told once.
        let right = json!({ "value": [{ "key": "SecretToken", "value": scene.app.scim_token }] });
        scene.api.put(&scene.at("/secrets"), &right).await.expect(204);
        scene.tell("/start").await;
        scene.until_status("mended", |status| status["code"] == "Active").await;
        let known = all(&mails).len();
        scene.tell("/pause").await;
        scene.until_status("paused", |status| status["code"] == "Paused").await;
        for id in &people {
            scene.patch(id, json!({ "enabled": false })).await;
        }
        scene.tell("/start").await;
        let mails_now = until(&mails, known + 1).await;
        let last = mails_now.last().cloned().unwrap_or_default();
        assert!(last.contains("waits for your word"), "{last}");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(all(&mails).len(), known + 1, "no flood");
    });
}
