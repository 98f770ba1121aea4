// SPDX-License-Identifier: Apache-2.0
// A PKCS #11 module in this process, through the optional library koffi: the functions of its list (Base Specification
// 3.0, section 5.2), with structures laid out as on 64-bit machines, where CK_ULONG and pointers have 8 bytes.

import { BrokerError } from "../errors.ts";
import { CKF, CKR, UNAVAILABLE } from "./constants.ts";

/** One attribute of an object: its type, and a number, flag or bytes. */
export type Attribute = readonly [type: bigint, value: bigint | boolean | Uint8Array];

/** A mechanism and its parameter structure. */
export interface Mechanism {
  readonly type: bigint;
  /** Words of 8 bytes; bytes stand for their address. */
  readonly parameter?: readonly (bigint | Uint8Array)[];
}

interface Library {
  func(definition: string): Call;
}

/** What is used of koffi. */
interface ForeignFunctions {
  load(path: string): Library;
  address(buffer: Uint8Array): bigint;
  decode(pointer: unknown, offset: number, type: unknown): unknown;
  proto(definition: string): unknown;
  call(pointer: unknown, type: unknown, ...values: unknown[]): unknown;
}

type Call = (...values: unknown[]) => unknown;

export type FunctionName =
  | "C_Initialize"
  | "C_Finalize"
  | "C_GetSlotList"
  | "C_GetTokenInfo"
  | "C_OpenSession"
  | "C_CloseSession"
  | "C_Login"
  | "C_CreateObject"
  | "C_DestroyObject"
  | "C_GetAttributeValue"
  | "C_FindObjectsInit"
  | "C_FindObjects"
  | "C_FindObjectsFinal"
  | "C_EncryptInit"
  | "C_Encrypt"
  | "C_DecryptInit"
  | "C_Decrypt"
  | "C_GenerateKey"
  | "C_GenerateKeyPair";

/** Place in CK_FUNCTION_LIST behind the version, and how many arguments of 8 bytes it takes. */
const FUNCTIONS: Readonly<Record<FunctionName, readonly [index: number, arity: number]>> = {
  C_Initialize: [0, 1],
  C_Finalize: [1, 1],
  C_GetSlotList: [4, 3],
  C_GetTokenInfo: [6, 2],
  C_OpenSession: [12, 5],
  C_CloseSession: [13, 1],
  C_Login: [18, 4],
  C_CreateObject: [20, 4],
  C_DestroyObject: [22, 2],
  C_GetAttributeValue: [24, 4],
  C_FindObjectsInit: [26, 3],
  C_FindObjects: [27, 4],
  C_FindObjectsFinal: [28, 1],
  C_EncryptInit: [29, 3],
  C_Encrypt: [30, 5],
  C_DecryptInit: [33, 3],
  C_Decrypt: [34, 5],
  C_GenerateKey: [58, 5],
  C_GenerateKeyPair: [59, 8],
};

const POINTER_BYTES = 8;
/** Of CK_C_INITIALIZE_ARGS: four functions of a mutex, flags, reserved. */
const FLAGS_WORD = 4;
/** A module is initialised once in a process, whoever uses it. */
const loaded: Map<string, Promise<Pkcs11Module>> = new Map();

/** Loads and initialises the module at `path`, once. Rejects with `HSM_FAILED`. */
export function loadModule(path: string): Promise<Pkcs11Module> {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  const module = openModule(path);
  loaded.set(path, module);
  module.catch(() => loaded.delete(path));
  return module;
}

async function openModule(path: string): Promise<Pkcs11Module> {
  let koffi: ForeignFunctions;
  try {
    koffi = await import("koffi");
  } catch (cause) {
    throw hsmFailed("load the PKCS #11 module: the library koffi, which makes the calls, cannot be loaded", {
      cause,
      hint: "Install it beside this package: npm install koffi.",
    });
  }
  let module: Pkcs11Module;
  try {
    module = new Pkcs11Module(koffi, path);
  } catch (cause) {
    throw hsmFailed("load the PKCS #11 module", { cause, hint: "Check the path of the module." });
  }
  module.initialize();
  return module;
}

/** Calls into a module. Every method throws `HSM_FAILED`; each call blocks until the token has answered. */
export class Pkcs11Module {
  readonly #koffi: ForeignFunctions;
  /** Kept: a library that nobody refers to is unloaded, with its functions. */
  readonly #library: Library;
  readonly #calls: ReadonlyMap<FunctionName, Call>;

  constructor(koffi: ForeignFunctions, path: string) {
    this.#koffi = koffi;
    const list = new BigUint64Array(1);
    this.#library = koffi.load(path);
    const get = this.#library.func("unsigned long C_GetFunctionList(_Out_ void *list)");
    check("C_GetFunctionList", get(new Uint8Array(list.buffer)));
    this.#calls = new Map(
      Object.entries(FUNCTIONS).map(([name, [index, arity]]) => {
        const parameters = Array.from({ length: arity }, (_, at) => `uint64_t a${at}`).join(", ");
        const type = koffi.proto(`uint64_t ${nextName(name)}(${parameters})`);
        const place = BigInt(
          koffi.decode(list[0], POINTER_BYTES * (1 + index), "uint64_t") as number | bigint,
        );
        const call: Call = (...values) => koffi.call(place, type, ...values);
        return [name as FunctionName, call];
      }),
    );
  }

  /** CKR_CRYPTOKI_ALREADY_INITIALIZED is as good: another part of the program did it. */
  initialize(): void {
    const words = new BigUint64Array(6);
    words[FLAGS_WORD] = CKF.osLocking;
    const rv = this.#raw("C_Initialize", bytesOf(words));
    if (rv !== CKR.alreadyInitialized) check("C_Initialize", rv);
  }

  /** Calls a function; bytes stand for their address. Throws `HSM_FAILED` unless it answers CKR_OK. */
  call(name: FunctionName, ...values: readonly (bigint | Uint8Array)[]): void {
    check(name, this.#raw(name, ...values));
  }

  /** `call`, answering CKR values in `tolerated` instead of throwing. */
  tolerant(
    name: FunctionName,
    tolerated: readonly bigint[],
    ...values: readonly (bigint | Uint8Array)[]
  ): bigint {
    const rv = this.#raw(name, ...values);
    if (!tolerated.includes(rv)) check(name, rv);
    return rv;
  }

  /** Calls `name` with attributes as an array of CK_ATTRIBUTE and its length, between `before` and `after`. */
  withTemplate(
    name: FunctionName,
    before: readonly (bigint | Uint8Array)[],
    templates: readonly (readonly Attribute[])[],
    after: readonly (bigint | Uint8Array)[] = [],
  ): void {
    const held = templates.map((attributes) => attributes.map(([, value]) => valueBytes(value)));
    const arrays = templates.map((attributes, index) =>
      bytesOf(
        BigUint64Array.from(
          attributes.flatMap(([type], at) => {
            const bytes = held[index]?.[at] ?? new Uint8Array(0);
            return [type, this.#address(bytes), BigInt(bytes.length)];
          }),
        ),
      ),
    );
    const words = arrays.flatMap((array, index) => [array, BigInt(templates[index]?.length ?? 0)]);
    try {
      this.call(name, ...before, ...words, ...after);
    } finally {
      for (const bytes of held.flat()) if (!isShared(templates, bytes)) bytes.fill(0);
    }
  }

  /** A CK_MECHANISM for `call`, and what has to stay in memory until the operation is through. */
  mechanism({ type, parameter }: Mechanism): {
    readonly bytes: Uint8Array;
    readonly held: readonly unknown[];
  } {
    if (parameter === undefined) return { bytes: bytesOf(BigUint64Array.of(type, 0n, 0n)), held: [] };
    const words = BigUint64Array.from(parameter, (word) =>
      typeof word === "bigint" ? word : this.#address(word),
    );
    const body = bytesOf(words);
    const bytes = bytesOf(BigUint64Array.of(type, this.#address(body), BigInt(body.length)));
    return { bytes, held: [body, parameter] };
  }

  /** The value of an attribute, undefined when the token does not show it. Throws `HSM_FAILED`. */
  attribute(session: bigint, object: bigint, type: bigint): Uint8Array | undefined {
    const ask = BigUint64Array.of(type, 0n, 0n);
    // 0x11 CKR_ATTRIBUTE_SENSITIVE and 0x12 CKR_ATTRIBUTE_TYPE_INVALID answer the same question: no.
    this.tolerant("C_GetAttributeValue", [CKR.ok, 0x11n, 0x12n], session, object, bytesOf(ask), 1n);
    const length = ask[2] ?? UNAVAILABLE;
    if (length === UNAVAILABLE) return undefined;
    const value = new Uint8Array(Number(length));
    const template = BigUint64Array.of(type, this.#address(value), length);
    this.call("C_GetAttributeValue", session, object, bytesOf(template), 1n);
    return value.subarray(0, Number(template[2]));
  }

  #raw(name: FunctionName, ...values: readonly (bigint | Uint8Array)[]): bigint {
    const call = this.#calls.get(name);
    if (call === undefined) throw hsmFailed(`call ${name}`);
    const words = values.map((value) => (typeof value === "bigint" ? value : this.#address(value)));
    return BigInt(call(...words) as number | bigint);
  }

  #address(bytes: Uint8Array): bigint {
    return bytes.length === 0 ? 0n : this.#koffi.address(bytes);
  }
}

let names = 0;

/** koffi wants a fresh name for each prototype. */
function nextName(name: string): string {
  names++;
  return `${name}_${names}`;
}

function bytesOf(words: BigUint64Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

function valueBytes(value: bigint | boolean | Uint8Array): Uint8Array {
  if (typeof value === "bigint") return bytesOf(BigUint64Array.of(value));
  return typeof value === "boolean" ? Uint8Array.of(value ? 1 : 0) : value;
}

/** Whether `bytes` belong to the caller, who still needs them. */
function isShared(templates: readonly (readonly Attribute[])[], bytes: Uint8Array): boolean {
  return templates.some((attributes) => attributes.some(([, value]) => value === bytes));
}

function check(name: string, answer: unknown): void {
  const rv = BigInt(answer as number | bigint);
  if (rv === CKR.ok) return;
  if (rv === CKR.pinIncorrect || rv === CKR.pinLocked)
    throw hsmFailed("log in to the PKCS #11 token: its PIN is wrong or locked", {
      rv,
      hint: "Check the PIN.",
    });
  throw hsmFailed(`use the PKCS #11 token: ${name} answered 0x${rv.toString(16)}`, { rv });
}

interface Why {
  readonly rv?: bigint;
  readonly cause?: unknown;
  readonly hint?: string;
}

/** The error of everything that a token or its module refuses. */
export function hsmFailed(what: string, { rv, cause, hint }: Why = {}): BrokerError {
  return new BrokerError("HSM_FAILED", "unavailable", `Cannot ${what}`, {
    ...(cause === undefined ? {} : { cause }),
    detail: rv === undefined ? {} : { rv: Number(rv) },
    ...(hint === undefined ? {} : { hint }),
  });
}
