// Serves the official Kubernetes plugin. Its own main embeds files that are generated and not in its module;
// those they are made of are, and the build keeps a copy of them in the folder "schema" beside the binary.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// Set by the linker.
var version string

func main() {
	provider.Serve("kubernetes", version, read("schema.json"), read("terraform-mapping.json"))
}

func read(name string) []byte {
	binary, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(filepath.Dir(binary), "schema", name))
	if err != nil {
		log.Fatal(err)
	}
	return content
}
