#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The command, present before the first build so that npm can link it.
import "../dist/bin.js";
