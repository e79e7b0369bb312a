using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>Writes an insert, update, upsert or delete as SQL.</summary>
internal sealed class WriteSql(SqlText sql, Caller caller, RestRelation relation, RestPreferences preferences)
{
    private const string Counter = "nullif(current_setting('reelbase.rest_inserted', true), '')";

    /// <summary>How many rows the statement has inserted; null when nobody counted.</summary>
    public const string Inserted = Counter + "::bigint";

    private readonly ConditionSql _conditions = new(sql, caller);

    public string Insert(RestPayload payload, IReadOnlyList<string> conflictKeys, IReadOnlyList<string> returning)
    {
        var columns = Columns(payload);
        var merges = preferences.Resolution == "merge-duplicates";
        var count = merges ? " where " + Count(true) : "";
        return $"insert into {relation.Quoted}{Names(columns)} {Select(payload, columns, preferences.Missing == "default")}{count}{OnConflict(columns, conflictKeys, preferences.Resolution)}{Returning(returning)}";
    }

    /// <summary>One row whose key is named by the filters: put there, whether it is there already or not.</summary>
    public string Put(RestPayload payload, IReadOnlyList<Filter> filters, IReadOnlyList<string> returning)
    {
        var columns = Columns(payload);
        var node = new ReadNode
        {
            Relation = relation,
            Depth = 0,
            Qualifier = "rest_body",
        };
        var missing = filters.FirstOrDefault(filter => !columns.Exists(column => column.Name == filter.Field.Name));
        if (missing is not null)
        {
            throw new RestError(400, "PGRST115", "Payload values do not match URL in primary key column(s)");
        }
        var matches = _conditions.All(node, filters, (_, _) => "false");
        return $"insert into {relation.Quoted}{Names(columns)} {Select(payload, columns, false)} where {Count(true)} and {matches}{OnConflict(columns, relation.PrimaryKey, "merge-duplicates")}{Returning(returning)}";
    }

    public string Update(RestPayload payload, IReadOnlyList<Condition> conditions, IReadOnlyList<string> returning)
    {
        var columns = Columns(payload);
        if (columns.Count == 0)
        {
            return $"select {(returning.Count == 0 ? "null" : string.Join(", ", returning.Select(name => $"{relation.Quoted}.{RestCatalog.Quote(name)}")))} from {relation.Quoted} where false";
        }
        var set = string.Join(", ", columns.Select(column => $"{RestCatalog.Quote(column.Name)} = rest_body.{RestCatalog.Quote(column.Name)}"));
        return $"update {relation.Quoted} set {set} {Body(payload, columns, preferences.Missing == "default")}{Where(conditions)}{Returning(returning)}";
    }

    public string Delete(IReadOnlyList<Condition> conditions, IReadOnlyList<string> returning) =>
        $"delete from {relation.Quoted}{Where(conditions)}{Returning(returning)}";

    private string Where(IReadOnlyList<Condition> conditions)
    {
        var node = new ReadNode
        {
            Relation = relation,
            Depth = 0,
            Qualifier = relation.Quoted,
        };
        return conditions.Count == 0 ? "" : " where " + _conditions.All(node, conditions, (_, _) => "false");
    }

    private List<RestColumn> Columns(RestPayload payload) =>
        [.. payload.Columns.Distinct().Select(name => relation.Find(name) ?? throw RestError.NoColumn(relation.Name, name))];

    private static string Names(List<RestColumn> columns) =>
        columns.Count == 0 ? "" : " (" + string.Join(", ", columns.Select(column => RestCatalog.Quote(column.Name))) + ")";

    private string Select(RestPayload payload, List<RestColumn> columns, bool withDefaults) =>
        $"select {string.Join(", ", columns.Select(column => "rest_body." + RestCatalog.Quote(column.Name)))} {Body(payload, columns, withDefaults)}";

    private string Body(RestPayload payload, List<RestColumn> columns, bool withDefaults)
    {
        var kind = withDefaults ? "jsonb" : "json";
        var source = $"from (select {sql.Value(payload.Json)}::{kind} as value) as rest_payload, ";
        var value = "rest_payload.value";
        if (withDefaults)
        {
            var defaults = string.Join(
                ", ",
                columns
                    .Where(column => column.Default is not null)
                    .Select(column => $"'{column.Name.Replace("'", "''", StringComparison.Ordinal)}', {column.Default}")
            );
            source += payload.IsObject
                ? $"lateral (select jsonb_build_object({defaults}) || rest_payload.value as value) as rest_defaults, "
                : $"lateral (select coalesce(jsonb_agg(jsonb_build_object({defaults}) || each), '[]') as value from jsonb_array_elements(rest_payload.value) each) as rest_defaults, ";
            value = "rest_defaults.value";
        }
        var names = string.Join(", ", columns.Select(column => RestCatalog.Quote(column.Name)));
        var rows =
            columns.Count > 0
                ? $"{kind}_to_record{(payload.IsObject ? "" : "set")}({value}) as _({string.Join(", ", columns.Select(column => $"{RestCatalog.Quote(column.Name)} {column.Type}"))})"
            : payload.IsObject ? "(values (1)) as _"
            : $"{kind}_array_elements({value}) as _";
        return $"{source}lateral (select {names} from {rows}) as rest_body";
    }

    private static string OnConflict(List<RestColumn> columns, IReadOnlyList<string> keys, string? resolution)
    {
        if (resolution is null || keys.Count == 0)
        {
            return "";
        }
        var target = $" on conflict ({string.Join(", ", keys.Select(RestCatalog.Quote))}) do ";
        return resolution == "ignore-duplicates" || columns.Count == 0
            ? target + "nothing"
            : $"{target}update set {string.Join(", ", columns.Select(column => $"{RestCatalog.Quote(column.Name)} = excluded.{RestCatalog.Quote(column.Name)}"))} where {Count(false)}";
    }

    private string Returning(IReadOnlyList<string> names) =>
        " returning " + (names.Count == 0 ? "1" : string.Join(", ", names.Select(name => $"{relation.Quoted}.{RestCatalog.Quote(name)}")));

    /// <summary>Counts a row as inserted, and takes that back for one that was there already.</summary>
    private static string Count(bool up) =>
        $"set_config('reelbase.rest_inserted', (coalesce({Counter}::int, 0) {(up ? "+" : "-")} 1)::text, true) <> '{(up ? "0" : "-1")}'";
}
