// SPDX-License-Identifier: Apache-2.0
// Veraison's client: sends the evidence in a file to a challenge-response session and prints the result.

package main

import (
	"encoding/hex"
	"fmt"
	"os"

	"github.com/veraison/apiclient/verification"
)

type evidence struct {
	nonce     string
	mediaType string
	bytes     []byte
}

func (e evidence) BuildEvidence(nonce []byte, accept []string) ([]byte, string, error) {
	if hex.EncodeToString(nonce) != e.nonce {
		return nil, "", fmt.Errorf("the session has nonce %x", nonce)
	}
	for _, mediaType := range accept {
		if mediaType == e.mediaType {
			return e.bytes, e.mediaType, nil
		}
	}
	return nil, "", fmt.Errorf("%s is not accepted", e.mediaType)
}

// Arguments: URI of newSession, nonce in hex, media type, file, and none, json or cbor for the wrapper.
func main() {
	nonce, err := hex.DecodeString(os.Args[2])
	check(err)
	bytes, err := os.ReadFile(os.Args[4])
	check(err)
	wraps := map[string]verification.CmwWrap{
		"none": verification.NoWrap, "json": verification.WrapJSON, "cbor": verification.WrapCBOR,
	}
	config := verification.ChallengeResponseConfig{}
	check(config.SetSessionURI(os.Args[1]))
	check(config.SetNonce(nonce))
	check(config.SetEvidenceBuilder(evidence{os.Args[2], os.Args[3], bytes}))
	check(config.SetWrap(wraps[os.Args[5]]))
	config.SetDeleteSession(true)
	result, err := config.Run()
	check(err)
	fmt.Println(string(result))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
