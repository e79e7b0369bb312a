using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>Writes columns, conditions and orders of a query as SQL.</summary>
internal sealed class ConditionSql(SqlText sql, Caller caller)
{
    private const int MaxHintDistance = 3;

    private static readonly Dictionary<string, string> Operators = new()
    {
        ["eq"] = "=",
        ["neq"] = "<>",
        ["gt"] = ">",
        ["gte"] = ">=",
        ["lt"] = "<",
        ["lte"] = "<=",
        ["like"] = "like",
        ["ilike"] = "ilike",
        ["match"] = "~",
        ["imatch"] = "~*",
        ["cs"] = "@>",
        ["cd"] = "<@",
        ["ov"] = "&&",
        ["sl"] = "<<",
        ["sr"] = ">>",
        ["nxr"] = "&<",
        ["nxl"] = "&>",
        ["adj"] = "-|-",
        ["fts"] = "to_tsquery",
        ["plfts"] = "plainto_tsquery",
        ["phfts"] = "phraseto_tsquery",
        ["wfts"] = "websearch_to_tsquery",
    };

    private static readonly Dictionary<string, string> Words = new()
    {
        ["null"] = "null",
        ["not_null"] = "not null",
        ["true"] = "true",
        ["false"] = "false",
        ["unknown"] = "unknown",
    };

    /// <summary>A column of a table, found in the catalogue.</summary>
    /// <exception cref="RestError">42703.</exception>
    public static RestColumn Find(ReadNode node, string name) => node.Relation.Find(name) ?? throw Missing(node, name);

    /// <summary>A column or a part of its JSON. The key of a file is never compared, ordered by or taken apart.</summary>
    public string Field(ReadNode node, FieldName field)
    {
        var column = Find(node, field.Name);
        if (column.IsStorageKey)
        {
            throw RestError.Denied(
                caller,
                $"permission denied for column {column.Name} of {node.Relation.Name}",
                "It can be selected, and compared with is.null."
            );
        }
        var plain = $"{node.Qualifier}.{RestCatalog.Quote(column.Name)}";
        return field.Path.Count == 0 ? plain : (column.BaseType is "json" or "jsonb" ? plain : $"to_jsonb({plain})") + Path(field.Path);
    }

    public string Path(IReadOnlyList<JsonStep> path) =>
        string.Concat(path.Select(step => (step.AsText ? "->>" : "->") + sql.Value(step.Operand) + (step.IsIndex ? "::int" : "")));

    /// <summary>Conditions of a node, each of them.</summary>
    public string All(ReadNode node, IEnumerable<Condition> conditions, Func<ReadNode, bool, string> nullEmbed) =>
        string.Join(" and ", conditions.Select(condition => One(node, condition, nullEmbed)));

    public string Order(ReadNode node) =>
        string.Join(
            ", ",
            node.Order.Select(term =>
                (term.Relation is null ? Field(node, term.Field) : Related(node.Children.Find(child => child.Name == term.Relation)!, term.Field))
                + (
                    term.IsDescending is { } descending
                        ? descending
                            ? " desc"
                            : " asc"
                        : ""
                )
                + (
                    term.NullsFirst is { } first
                        ? first
                            ? " nulls first"
                            : " nulls last"
                        : ""
                )
            )
        );

    private string Related(ReadNode child, FieldName field)
    {
        var isOutput = child.IsEmpty ? child.Relation.Find(field.Name)?.Select.Contains(caller.Role) is true : child.OutputNames().Contains(field.Name);
        if (!isOutput)
        {
            throw RestError.UndefinedColumn(child.ErrorName, field.Name, null);
        }
        if (child.Relation.Find(field.Name)?.IsStorageKey is true || child.IsStorageKey(field.Name))
        {
            throw RestError.Denied(caller, $"permission denied for column {field.Name} of {child.Relation.Name}");
        }
        return $"{child.Joined}.{RestCatalog.Quote(field.Name)}{Path(field.Path)}";
    }

    private string One(ReadNode node, Condition condition, Func<ReadNode, bool, string> nullEmbed)
    {
        if (condition is Group group)
        {
            var parts = group.Conditions.Select(each => One(node, each, nullEmbed));
            return $"{(group.Not ? "not " : "")}({string.Join(group.IsAnd ? " and " : " or ", parts)})";
        }
        var filter = (Filter)condition;
        var comparison = filter.Comparison;
        if (
            filter.Field.Path.Count == 0
            && comparison is { Kind: OperatorKind.Is, Value: "null" }
            && node.Children.Find(child => child.Name == filter.Field.Name) is { } embedded
        )
        {
            return nullEmbed(embedded, comparison.Not);
        }
        var not = comparison.Not ? "not " : "";
        if (comparison.Kind == OperatorKind.Is && filter.Field.Path.Count == 0 && comparison.Value is "null" or "not_null")
        {
            return $"{not}{node.Qualifier}.{RestCatalog.Quote(Find(node, filter.Field.Name).Name)} is {Words[comparison.Value]}";
        }
        var field = Field(node, filter.Field);
        return not
            + comparison.Kind switch
            {
                OperatorKind.Is => $"{field} is {Words[comparison.Value]}",
                OperatorKind.IsDistinct => $"{field} is distinct from {sql.Value(comparison.Value)}",
                OperatorKind.In when comparison.Values is [""] => $"{field} = any ('{{}}')",
                OperatorKind.In => $"{field} = any ({sql.Value(ArrayText(comparison.Values))})",
                OperatorKind.TextSearch => TextSearch(node, filter, field),
                OperatorKind.Plain => $"{field} {Operators[comparison.Name]} {sql.Value(comparison.Value)}",
                _ => Quantified(field, comparison),
            };
    }

    private string Quantified(string field, Comparison comparison)
    {
        var text = comparison.Name is "like" or "ilike" ? comparison.Value.Replace('*', '%') : comparison.Value;
        var value = sql.Value(text);
        return $"{field} {Operators[comparison.Name]} {(comparison.Modifier is null ? value : $"{comparison.Modifier}({value})")}";
    }

    private string TextSearch(ReadNode node, Filter filter, string field)
    {
        string Language() => filter.Comparison.Modifier is { } language ? sql.Value(language) + ", " : "";
        var isVector = filter.Field.Path.Count == 0 && Find(node, filter.Field.Name).BaseType == "tsvector";
        var vector = isVector ? field : $"to_tsvector({Language()}{field})";
        return $"{vector} @@ {Operators[filter.Comparison.Name]}({Language()}{sql.Value(filter.Comparison.Value)})";
    }

    private static string ArrayText(IReadOnlyList<string> values) =>
        "{"
        + string.Join(
            ',',
            values.Select(value => "\"" + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"")
        )
        + "}";

    private static RestError Missing(ReadNode node, string name)
    {
        var near = node
            .Relation.Columns.Where(column => column.Select.Count > 0 && name.Length <= 63)
            .Select(column => (column.Name, Distance: Likeness.Distance(name, column.Name)))
            .Where(pair => pair.Distance <= MaxHintDistance && pair.Distance <= name.Length / 2)
            .OrderBy(pair => pair.Distance)
            .FirstOrDefault();
        return RestError.UndefinedColumn(
            node.ErrorName,
            name,
            near.Name is null ? null : $"Perhaps you meant to reference the column \"{node.ErrorName}.{near.Name}\"."
        );
    }
}
