using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>Writes a planned query as SQL.</summary>
internal sealed class ReadSql(SqlText sql, RestCatalog catalog, Caller caller, string secret, RestOptions options)
{
    private readonly ConditionSql _conditions = new(sql, caller);

    /// <summary>Whether keys of files are in the answer, which have to become links.</summary>
    public bool HasStorageKeys { get; private set; }

    /// <summary>The rows of a node.</summary>
    /// <param name="node">A planned node.</param>
    /// <param name="source">Where its rows come from instead of its table: what a change has returned.</param>
    public string Rows(ReadNode node, string? source = null)
    {
        var items = node.Fields.ConvertAll(field => Item(node, field));
        var joins = new List<string>();
        foreach (var child in node.Children)
        {
            joins.Add(Join(child));
            items.AddRange(Embedded(child));
        }
        if (items.Count == 0 && node.Children.Count == 0)
        {
            // Nothing was selected: all there is, for those who order or filter by it.
            items.AddRange(
                node.Relation.Granted(caller).Where(column => !column.IsStorageKey).Select(column => $"{node.Qualifier}.{RestCatalog.Quote(column.Name)}")
            );
        }
        var where = Where(node);
        var order = node.Order.Count == 0 ? "" : " order by " + _conditions.Order(node);
        return $"select {string.Join(", ", items)} from {From(node, source)}{string.Concat(joins)}{where}{GroupBy(node)}{order}{Limit(node.Range)}";
    }

    /// <summary>One row for each row of a node, whatever its limit: for counting.</summary>
    public string Count(ReadNode node)
    {
        var parts = Parts(node, CountedEmbed);
        parts.AddRange(node.Children.Where(child => child.IsInner).Select(child => $"exists ({Count(child)})"));
        return $"select 1 from {From(node, null)}{(parts.Count == 0 ? "" : " where " + string.Join(" and ", parts))}";
    }

    private string Where(ReadNode node)
    {
        var parts = Parts(node, JoinedEmbed);
        return parts.Count == 0 ? "" : " where " + string.Join(" and ", parts);
    }

    private List<string> Parts(ReadNode node, Func<ReadNode, bool, string> nullEmbed)
    {
        var parts = new List<string>();
        if (node.Where.Count > 0)
        {
            parts.Add(_conditions.All(node, node.Where, nullEmbed));
        }
        if (node.Relationship is { } relationship)
        {
            var parent = node.ParentQualifier;
            var first = relationship.Junction is null ? node.Qualifier : node.Junction;
            parts.AddRange(relationship.Columns.Select(pair => $"{first}.{RestCatalog.Quote(pair.To)} = {parent}.{RestCatalog.Quote(pair.From)}"));
            parts.AddRange(
                (relationship.SecondColumns ?? []).Select(pair =>
                    $"{node.Qualifier}.{RestCatalog.Quote(pair.To)} = {node.Junction}.{RestCatalog.Quote(pair.Junction)}"
                )
            );
        }
        return parts;
    }

    private static string From(ReadNode node, string? source) =>
        $"{source ?? node.Relation.Quoted} as {node.Qualifier}"
        + (node.Relationship?.Junction is { } junction ? $", {junction.Quoted} as {node.Junction}" : "");

    private static string Limit(RowRange range) =>
        range == RowRange.All ? ""
        : range.IsLimitZero ? " limit 0"
        : $"{(range.Limit is { } limit ? $" limit {limit}" : "")}{(range.Lower == 0 ? "" : $" offset {range.Lower}")}";

    private string Item(ReadNode node, SelectField field)
    {
        var name = " as " + RestCatalog.Quote(ReadNode.OutputName(field));
        if (field is { Aggregate: "count", Field.Name: "*" })
        {
            return Cast("count(*)", field.AggregateCast) + name;
        }
        if (ConditionSql.Find(node, field.Field.Name).IsStorageKey && field is { Field.Path.Count: 0, Aggregate: null, Cast: null } && !node.HasAggregates)
        {
            return StorageKey(node, field.Field.Name) + name;
        }
        var value = Cast(_conditions.Field(node, field.Field), field.Cast);
        return (field.Aggregate is { } aggregate ? Cast($"{aggregate}({value})", field.AggregateCast) : value) + name;
    }

    private string Cast(string value, string? type) => type is null ? value : $"cast({value} as {catalog.Type(type)})";

    /// <summary>A key between secrets that nobody can know before; they are found in the answer and become a link.</summary>
    private string StorageKey(ReadNode node, string name)
    {
        HasStorageKeys = true;
        var column = $"{node.Qualifier}.{RestCatalog.Quote(name)}";
        var bucket = name.StartsWith("thumbnail", StringComparison.Ordinal) ? "thumbnails" : "videos";
        var created =
            node.Relation.Find("created_at") is { BaseType: "timestamp with time zone" } at && at.Select.Contains(caller.Role)
                ? $"coalesce(floor(extract(epoch from {node.Qualifier}.created_at))::bigint::text, '')"
                : "''";
        return $"{sql.Value(secret + "|" + bucket + "|")}::text || {created} || '|' || {column}::text || {sql.Value("|" + secret)}::text";
    }

    private static IEnumerable<string> Embedded(ReadNode child)
    {
        if (child.IsEmpty)
        {
            return [];
        }
        if (child.IsSpread)
        {
            return child.OutputNames().Select(name => $"{child.Joined}.{RestCatalog.Quote(name)} as {RestCatalog.Quote(name)}");
        }
        var name = RestCatalog.Quote(child.Name);
        return [child.IsToOne ? $"row_to_json({child.Joined}.*)::jsonb as {name}" : $"coalesce({child.Joined}.rest_rows, '[]') as {name}"];
    }

    private string Join(ReadNode child)
    {
        var kind = child.IsInner ? " inner" : " left";
        if (child.IsToOne)
        {
            return $"{kind} join lateral ({Rows(child)}) as {child.Joined} on true";
        }
        var spread = child.IsSpread
            ? string.Concat(child.OutputNames().Select(name => $", coalesce(json_agg(r.{RestCatalog.Quote(name)}), '[]')::jsonb as {RestCatalog.Quote(name)}"))
            : "";
        return $"{kind} join lateral (select public.charge_rest_list(json_agg(r)::jsonb, {options.MaxListBytes}) as rest_rows{spread} from ({Rows(child)}) as r) as {child.Joined} on {(child.IsInner ? $"{child.Joined}.rest_rows is not null" : "true")}";
    }

    private string GroupBy(ReadNode node)
    {
        if (!node.HasAggregates)
        {
            return "";
        }
        var terms = node
            .Fields.Where(field => field.Aggregate is null)
            .Select(field =>
                field.Field.Path.Count > 0 || field.Alias is not null ? RestCatalog.Quote(ReadNode.OutputName(field)) : _conditions.Field(node, field.Field)
            )
            .Concat(
                node.Children.Where(child => !child.IsEmpty)
                    .SelectMany(child =>
                        child.IsSpread ? child.OutputNames().Select(name => $"{child.Joined}.{RestCatalog.Quote(name)}") : [RestCatalog.Quote(child.Name)]
                    )
            )
            .ToList();
        return terms.Count == 0 ? "" : " group by " + string.Join(", ", terms);
    }

    private static string JoinedEmbed(ReadNode child, bool not) =>
        child.IsToOne ? $"{child.Joined} is {(not ? "" : "not ")}distinct from null" : $"{child.Joined}.rest_rows is {(not ? "not " : "")}null";

    private string CountedEmbed(ReadNode child, bool not) => $"{(not ? "" : "not ")}exists ({Count(child)})";
}
