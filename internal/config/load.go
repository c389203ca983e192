package config

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// FileVariable names the file that settings may come from as well: lines of NAME=value, # for comments. The
// environment goes before it.
const FileVariable = "CREDITGRAPH_CONFIG"

// Options are what a command line parser needs to fill a Config from the environment and from the file
// that CREDITGRAPH_CONFIG names.
func Options() ([]kong.Option, error) {
	options := []kong.Option{kong.Name("creditgraph"), kong.UsageOnError()}
	path := os.Getenv(FileVariable)
	if path == "" {
		return options, nil
	}
	values, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", FileVariable, err)
	}
	return append(options, kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set {
				return nil, nil // kong would let the file win over the environment
			}
			if value, ok := values[name]; ok {
				return value, nil
			}
		}
		return nil, nil
	}))), nil
}

// readFile reads lines of NAME=value. A name that is no setting is an error, as it is most likely a typo.
func readFile(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	known := map[string]bool{}
	for _, s := range new(Config).Settings() {
		known[s.Name] = true
	}
	values := map[string]string{}
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !found || !known[name] {
			return nil, fmt.Errorf("line %d: not a setting; `creditgraph config` lists them", number)
		}
		values[name] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return values, lines.Err()
}

// Set changes settings by the names of their environment variables.
func (c *Config) Set(values [][2]string) error {
	for _, pair := range values {
		if !set(reflect.ValueOf(c).Elem(), pair[0], pair[1]) {
			return fmt.Errorf("%s: not a setting of text", pair[0])
		}
	}
	return nil
}

// set finds the setting of a name and gives it a text; false where there is none that takes one.
func set(v reflect.Value, name, text string) bool {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch {
		case field.Tag.Get("env") == name && v.Field(i).Kind() == reflect.String:
			v.Field(i).SetString(text)
			return true
		case field.Tag.Get("env") == "" && set(v.Field(i), name, text):
			return true
		}
	}
	return false
}
