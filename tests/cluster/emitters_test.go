//go:build node

package cluster

var emitters = []scenario{}
