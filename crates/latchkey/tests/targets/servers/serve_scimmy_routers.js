// scimmy-routers on Express 4, with the handlers that its documentation asks for, over a map in memory.
import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const keep = (Resource, unique) => {
    const kept = new Map();
    const one = (id) => {
        if (!kept.has(id)) throw new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
        return kept.get(id);
    };
    return SCIMMY.Resources.declare(Resource)
        .ingress((resource, data) => {
            if (resource.id) one(resource.id);
            const id = resource.id ?? randomUUID();
            for (const other of kept.values()) {
                if (other.id !== id && other[unique].toLowerCase() === data[unique].toLowerCase()) {
                    throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} ${data[unique]} is taken`);
                }
            }
            const now = new Date();
            const meta = { created: kept.get(id)?.meta.created ?? now, lastModified: now };
            kept.set(id, { ...JSON.parse(JSON.stringify(data)), id, meta });
            return kept.get(id);
        })
        .egress((resource) => {
            if (resource.id) return one(resource.id);
            const all = [...kept.values()];
            return resource.filter ? resource.filter.match(all) : all;
        })
        .degress((resource) => {
            one(resource.id);
            kept.delete(resource.id);
        });
};

keep(SCIMMY.Resources.User, "userName").extend(SCIMMY.Schemas.EnterpriseUser, false);
keep(SCIMMY.Resources.Group, "displayName");

const app = express();
app.use((request, _, next) => {
    console.log(request.method, request.originalUrl);
    next();
});
app.use("/scim", new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
        if (request.header("Authorization") !== `Bearer ${process.env.SCIM_TOKEN}`) {
            throw new Error("the token is missing or wrong");
        }
        return "provisioning";
    },
}));
const server = app.listen(0, "127.0.0.1", () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}/scim`);
});
