// SPDX-License-Identifier: Apache-2.0
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { Sessions } from "./sessions.ts";
import { type Ephemeral, memoryEphemeral } from "./store/ephemeral.ts";
import { createVault } from "./vault.ts";
import { VeraisonSessions } from "./veraison-sessions.ts";

const START = new Date("2026-03-01T12:00:00Z");
const vault = createVault([new Uint8Array(32).fill(1)]);

function sessionsOver(ephemeral: Ephemeral, capacity = 20_000): Sessions {
  return new Sessions({ ephemeral, vault, lifetimeSeconds: 10, capacity });
}

function later(seconds: number): Date {
  return new Date(START.getTime() + seconds * 1000);
}

/** Everything that was put, as its home sees it. */
function watched(): { readonly ephemeral: Ephemeral; readonly seen: string[] } {
  const inner = memoryEphemeral();
  const seen: string[] = [];
  const note = (key: string, value: Uint8Array): void =>
    void seen.push(key, Buffer.from(value).toString("latin1"));
  return {
    seen,
    ephemeral: {
      ...inner,
      put: (space, key, value, expires, now) => {
        note(key, value);
        return inner.put(space, key, value, expires, now);
      },
      replace: (space, key, from, to, now) => {
        note(key, to);
        return inner.replace(space, key, from, to, now);
      },
    },
  };
}

describe("a session", () => {
  it("is found by its id until it expires, by whoever shares the store", async () => {
    const ephemeral = memoryEphemeral();
    const request = { nonce: "n", verifierKeys: [Uint8Array.of(1, 2), new Uint8Array(0)] };
    const session = await sessionsOver(ephemeral).open("sample", START, request);
    const other = sessionsOver(ephemeral);
    expect(await other.find(session.id, later(9.999))).toEqual(session);
    expect(await other.find(session.id, later(10))).toBeUndefined();
    expect(await other.find("0".repeat(32), START)).toBeUndefined();
  });

  it("has an id and a nonce that nobody guesses", async () => {
    const sessions = sessionsOver(memoryEphemeral());
    const open = await Promise.all(Array.from({ length: 500 }, () => sessions.open("sample", START)));
    expect(new Set(open.map(({ id }) => id)).size).toBe(500);
    expect(new Set(open.map(({ nonce }) => nonce)).size).toBe(500);
  });

  it("shows its home neither id, nonce, key nor token", async () => {
    const { ephemeral, seen } = watched();
    const sessions = sessionsOver(ephemeral);
    const session = await sessions.open("sample", START, {
      nonce: "the-nonce",
      verifierKeys: [new Uint8Array(32)],
    });
    await sessions.attested(session, "the-token", START);
    expect(seen.length).toBe(4);
    for (const text of seen)
      for (const secret of [session.id, "the-nonce", "the-token", "sample", "AAAAAAAA"])
        expect(text).not.toContain(secret);
  });

  it("has the token of the first answer", async () => {
    const ephemeral = memoryEphemeral();
    const [a, b] = [sessionsOver(ephemeral), sessionsOver(ephemeral)];
    const session = await a.open("sample", START);
    const tokens = await Promise.all([a.attested(session, "a", START), b.attested(session, "b", START)]);
    expect(tokens).toEqual(["a", "a"]);
    expect((await b.find(session.id, START))?.token).toBe("a");
    expect(await b.attested(session, "c", START)).toBe("a");
  });

  it("gets no token once it has expired", async () => {
    const sessions = sessionsOver(memoryEphemeral());
    const session = await sessions.open("sample", START);
    expect(await codeOfAsync(() => sessions.attested(session, "late", later(10)))).toBe("SESSION_UNKNOWN");
  });

  it("that somebody moved, changed or prolonged is as good as none", async () => {
    const ephemeral = memoryEphemeral();
    const sessions = sessionsOver(ephemeral);
    const [mine, yours] = [await sessions.open("sample", START), await sessions.open("sample", START)];
    const { createHash } = await import("node:crypto");
    const place = createHash("sha256").update(mine.id).digest("hex");
    const put = (value: Uint8Array): Promise<void> =>
      ephemeral.put("session", place, value, later(1000), START);
    await put(yours.sealed);
    expect(await sessions.find(mine.id, START)).toBeUndefined();
    await put(mine.sealed.with(40, (mine.sealed[40] ?? 0) ^ 1));
    expect(await sessions.find(mine.id, START)).toBeUndefined();
    await put(mine.sealed);
    expect(await sessions.find(mine.id, START)).toEqual(mine);
    expect(await sessions.find(mine.id, later(10))).toBeUndefined();
  });

  it("under a root key that is gone is as good as none", async () => {
    const ephemeral = memoryEphemeral();
    const { id } = await sessionsOver(ephemeral).open("sample", START);
    const other = createVault([new Uint8Array(32).fill(2)]);
    const sessions = new Sessions({ ephemeral, vault: other, lifetimeSeconds: 10, capacity: 1 });
    expect(await sessions.find(id, START)).toBeUndefined();
  });

  it("is refused when there are too many, until some expire", async () => {
    const sessions = sessionsOver(memoryEphemeral(), 2);
    await sessions.open("sample", START);
    await sessions.open("sample", START);
    expect(await codeOfAsync(() => sessions.open("sample", later(9)))).toBe("SESSIONS_FULL");
    expect(await codeOfAsync(() => sessions.open("sample", later(11)))).toBe("nothing");
  });

  it("costs little: ten thousand idle ones are all found, and all leave", async () => {
    const ephemeral = memoryEphemeral();
    const sessions = sessionsOver(ephemeral);
    const ids: string[] = [];
    for (let i = 0; i < 10_000; i++) ids.push((await sessions.open("sample", START)).id);
    for (const id of [ids[0], ids[5_000], ids[9_999]])
      expect((await sessions.find(id ?? "", later(9)))?.id).toBe(id);
    expect(await ephemeral.count("session", later(9))).toBe(10_000);
    expect(await ephemeral.count("session", later(11))).toBe(0);
  });
});

describe("a session of Veraison's API", () => {
  const open = async (): Promise<VeraisonSessions> =>
    new VeraisonSessions({ ephemeral: memoryEphemeral(), vault, capacity: 2 });

  it("is answered by one of several", async () => {
    const sessions = await open();
    const session = await sessions.open(32, START);
    const outcome = await Promise.allSettled(
      [1, 2, 3].map(() => sessions.change(session, { status: "processing" }, START)),
    );
    expect(outcome.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(await codeOfAsync(() => sessions.change(session, { status: "failed" }, START))).toBe(
      "SESSION_ANSWERED",
    );
    const taken = await sessions.find(session.id, START);
    await sessions.change(taken, { status: "complete", result: "token" }, START);
    expect(await sessions.find(session.id, START)).toMatchObject({ status: "complete", result: "token" });
  });

  it("is gone once deleted or expired", async () => {
    const sessions = await open();
    const [a, b] = [await sessions.open(8, START), await sessions.open(Uint8Array.of(1), START)];
    expect(b.nonce).toEqual(Uint8Array.of(1));
    expect(await codeOfAsync(() => sessions.open(8, START))).toBe("SESSIONS_FULL");
    await sessions.delete(a.id, START);
    for (const act of [
      () => sessions.find(a.id, START),
      () => sessions.delete(a.id, START),
      () => sessions.find(b.id, later(150)),
    ])
      expect(await codeOfAsync(act)).toBe("SESSION_UNKNOWN");
  });
});
