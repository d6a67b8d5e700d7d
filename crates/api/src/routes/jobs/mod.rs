//! Provisioning jobs, in the shape of Microsoft Graph's synchronization API.

mod ask;
mod define;
mod logs;
mod upload;
mod view;

use crate::ApiState;
use crate::endpoint::Endpoint;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let mut all = define::endpoints();
    all.extend(ask::endpoints());
    all.extend(logs::endpoints());
    all.extend(upload::endpoints());
    all
}
