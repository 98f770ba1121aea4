// SPDX-License-Identifier: Apache-2.0
// Checks a log's signed note, inclusion and consistency proofs, given as JSON, with Go's transparency log packages.

package main

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type inclusion struct {
	Index int64
	Leaf  []byte
	Proof [][]byte
}

type consistency struct {
	From  int64
	Root  []byte
	Proof [][]byte
}

type log struct {
	Key         string
	Note        string
	Size        int64
	Root        []byte
	Inclusion   []inclusion
	Consistency []consistency
}

func main() {
	var in log
	must(json.NewDecoder(os.Stdin).Decode(&in))
	verifier, err := note.NewVerifier(in.Key)
	must(err)
	_, err = note.Open([]byte(in.Note), note.VerifierList(verifier))
	must(err)
	root := hash(in.Root)
	for _, p := range in.Inclusion {
		must(tlog.CheckRecord(hashes(p.Proof), in.Size, root, p.Index, tlog.RecordHash(p.Leaf)))
	}
	for _, p := range in.Consistency {
		must(tlog.CheckTree(hashes(p.Proof), in.Size, root, p.From, hash(p.Root)))
	}
	fmt.Printf("%d and %d proofs hold\n", len(in.Inclusion), len(in.Consistency))
}

func hash(bytes []byte) (out tlog.Hash) {
	if copy(out[:], bytes) != tlog.HashSize {
		must(fmt.Errorf("a hash has %d bytes", len(bytes)))
	}
	return out
}

func hashes(all [][]byte) (out []tlog.Hash) {
	for _, one := range all {
		out = append(out, hash(one))
	}
	return out
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
