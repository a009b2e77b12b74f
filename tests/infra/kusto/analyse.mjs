// Microsoft's own KQL parser over queries from stdin, {"tables": {name: {column: type}}, "queries": {name: text}}:
// prints {name: {"diagnostics": [{line, severity, code, message, text}], "columns": {column: type}}}.
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const load = createRequire(import.meta.url);
load('@kusto/language-service-next/bridge.js'); // both put their names into the global scope
load('@kusto/language-service-next/Kusto.Language.Bridge.js');
const { Bridge, Kusto } = globalThis;
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

const { tables, queries } = JSON.parse(await text(process.stdin));

const known = Object.entries(tables).map(([name, columns]) => {
  const typed = Object.entries(columns).map(([column, type]) => `['${column}']:${type}`);
  return Symbols.TableSymbol.From(`(${typed.join(', ')})`).WithName(name);
});
const workspace = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', known));

function analysed(query) {
  const code = KustoCode.ParseAndAnalyze(query, workspace);
  const diagnostics = Bridge.toArray(code.GetDiagnostics()).map((found) => ({
    line: query.slice(0, found.Start).split('\n').length,
    severity: found.Severity,
    code: found.Code,
    message: found.Message,
    text: query.slice(found.Start, found.Start + found.Length),
  }));
  const columns = code.ResultType?.Columns ? Bridge.toArray(code.ResultType.Columns) : [];
  return { diagnostics, columns: Object.fromEntries(columns.map((column) => [column.Name, column.Type.Name])) };
}

const answers = Object.entries(queries).map(([name, query]) => [name, analysed(query)]);
process.stdout.write(JSON.stringify(Object.fromEntries(answers)));
