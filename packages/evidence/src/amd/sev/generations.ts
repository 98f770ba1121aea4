// SPDX-License-Identifier: Apache-2.0
// AMD's binary roots by generation, pinned by the SHA-256 of the published ARK file, for Naples the whole one. From
// Milan on the file holds the key of the X.509 root of SEV-SNP. A new generation is a new row.

export type SevGeneration = "Naples" | "Rome" | "Milan" | "Genoa" | "Turin";

const ARKS: Readonly<Record<SevGeneration, string>> = {
  Naples: "dedabca561e1dece8cc00b7bda864cf5f20b95017864408cfe18eaee0dce24b9",
  Rome: "865977b268c16d5b27772b00aaefb4e737ba9499e818ed8e9f65b0cecefbc529",
  Milan: "1246469862b78a7a8625579b0378d1f8e975eb8b82a1623b579d7968a5969888",
  Genoa: "8f4e3fd36589c23f1fe0c8338465bac7e2e066d97fc92f228bbee4fd356fb674",
  Turin: "f6405e5096a6eee1eb7d5df75c49f9b9f7c8357a31c7fff150149d68588a7bf7",
};

export const SEV_GENERATIONS: readonly SevGeneration[] = Object.keys(ARKS) as SevGeneration[];

/** The generation whose root has this SHA-256, undefined for what is no root of AMD's. */
export function sevGenerationOf(arkSha256: string): SevGeneration | undefined {
  return SEV_GENERATIONS.find((generation) => ARKS[generation] === arkSha256);
}
