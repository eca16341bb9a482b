/** Which way things may point: services -> libs -> contracts; test -> anything; nothing else. */
module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'What depends on itself cannot be understood, tested or replaced alone.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'contracts-know-nobody',
      comment: 'Contracts are what everyone else may know; they know only each other.',
      severity: 'error',
      from: { path: '^contracts/' },
      to: { path: '^(libs|services|test)/' },
    },
    {
      name: 'libs-know-no-service',
      comment: 'The road knows no town.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(services|test)/' },
    },
    {
      name: 'services-meet-in-contracts',
      comment: 'A service never imports another. The command line and the main file start them by their main files.',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: '^services/cli/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'production-needs-no-tests',
      comment: 'What runs must not depend on what tests it.',
      severity: 'error',
      from: { path: '^(contracts|libs|services|deploy)/' },
      to: { path: '^test/' },
    },
    {
      name: 'production-needs-no-tools',
      comment: 'What runs is installed without the tools that build and test it. The console is built beforehand.',
      severity: 'error',
      from: { path: '^(contracts|libs|services)/', pathNot: '^services/console/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'all-is-found',
      comment: 'An import that leads nowhere fails at the start, or worse, later.',
      severity: 'error',
      // The console is bundled; the compiler of its own language looks after what it imports.
      from: { pathNot: '^services/console/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
