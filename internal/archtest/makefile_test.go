package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The stage unit of "make test" runs the tests of the packages that a 32-bit
// system may use for such a system, the protocol's among them.
//
// compat: 5.7.12
func TestMakefileRuns32Bits(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`(?m)^STAGES \?=.* unit `,
		`(?m)^unit:.*\n(\t.*\n)*\t.*bits32\.sh \$\(MIN_32\) \$\(PACKAGES_32\)`,
		`(?m)^PACKAGES_32 +:= .*\./engineio/ .*\./socketio/parser/`,
	} {
		if !regexp.MustCompile(want).Match(text) {
			t.Errorf("Makefile: no match of %s", want)
		}
	}
}
