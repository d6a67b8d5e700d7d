// @better-auth/scim in an application that has nothing else, with its data in memory.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { scim } from "@better-auth/scim";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { getAuthTables } from "better-auth/db";
import { toNodeHandler } from "better-auth/node";

const plugins = [
    scim({
        connections: [
            { id: "directory", credentials: [{ type: "bearer", id: "first", token: process.env.SCIM_TOKEN }] },
        ],
    }),
];
const tables = Object.values(getAuthTables({ plugins })).map((table) => [table.modelName, []]);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
    const base = `http://127.0.0.1:${server.address().port}`;
    const auth = betterAuth({
        baseURL: base,
        secret: randomBytes(32).toString("hex"),
        database: memoryAdapter(Object.fromEntries(tables)),
        // A directory that provisions asks more often than the people whom this protects from.
        rateLimit: { enabled: false },
        telemetry: { enabled: false },
        plugins,
    });
    const handle = toNodeHandler(auth);
    server.on("request", (request, response) => {
        console.log(request.method, request.url);
        handle(request, response);
    });
    console.log(`listening on ${base}/api/auth/scim/v2`);
});
