module example.com/ml-deployments/sandbox/tools/flux

go 1.27.0

require (
	github.com/fluxcd/kustomize-controller v1.10.1
	github.com/fluxcd/source-controller v1.10.1
)
