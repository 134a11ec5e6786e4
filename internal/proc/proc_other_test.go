//go:build !unix

package proc

import "os"

var terminate = []os.Signal{os.Interrupt}

const cleanStatus = 1
