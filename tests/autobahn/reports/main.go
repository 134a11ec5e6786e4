package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("reports: two arguments, an index.json and the name of an agent")
	}
	b, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = judge(os.Stdout, b, os.Args[2])
	}
	if err != nil {
		log.Fatal("reports: ", err)
	}
}

// verdict is what the suite says of a case: of the messages, and of the end.
type verdict struct {
	Behavior      string `json:"behavior"`
	BehaviorClose string `json:"behaviorClose"`
}

// judge prints the counts, and what did not pass.
func judge(w io.Writer, index []byte, agent string) error {
	var agents map[string]map[string]verdict
	if err := json.Unmarshal(index, &agents); err != nil {
		return err
	}
	counts, bad := map[string]int{}, 0
	for _, id := range slices.Sorted(maps.Keys(agents[agent])) {
		v := agents[agent][id]
		counts[v.Behavior]++
		passed := v.Behavior == "OK" || v.Behavior == "INFORMATIONAL"
		if closed := v.BehaviorClose == "OK" || v.BehaviorClose == "INFORMATIONAL"; !passed || !closed {
			bad++
			fmt.Fprintf(w, "%s: %s, close %s\n", id, v.Behavior, v.BehaviorClose)
		}
	}
	fmt.Fprintf(w, "%s: %v\n", agent, counts)
	if bad > 0 || counts["OK"] != 514 || counts["INFORMATIONAL"] != 3 {
		return errors.New("want 514 OK and 3 INFORMATIONAL")
	}
	return nil
}
