package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// compose is what is made use of of docker-compose.yml.
type compose struct {
	Services map[string]composed `yaml:"services"`
}

// composed is one service.
type composed struct {
	Build       string            `yaml:"build"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
}

func readCompose(root string) (*compose, error) {
	text, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	if err != nil {
		return nil, err
	}
	c := &compose{}
	if err := yaml.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("docker-compose.yml: %w", err)
	}
	if len(c.Services["redis"].Command) == 0 || len(c.nodes()) == 0 {
		return nil, fmt.Errorf("docker-compose.yml: no command of Redis, or no service that is built")
	}
	return c, nil
}

// nodes are the names of the services that are built here.
func (c *compose) nodes() (list []string) {
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		if c.Services[name].Build != "" {
			list = append(list, name)
		}
	}
	return list
}

// environment is what the file sets for a node, with the Redis and the key that
// there are here.
func (c *compose) environment(node, redis, key string) ([]string, error) {
	var list []string
	env := c.Services[node].Environment
	for _, name := range slices.Sorted(maps.Keys(env)) {
		value := strings.Replace(env[name], "//redis:6379", "//"+redis, 1)
		if name == "HERMOD_CLUSTER_KEY" {
			value = key
		}
		if strings.Contains(value, "${") {
			return nil, fmt.Errorf("docker-compose.yml: %s of %s is left to the environment", name, node)
		}
		list = append(list, name+"="+value)
	}
	return list, nil
}
