namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>One step into a JSON value: <c>-&gt;key</c> or, as text, <c>-&gt;&gt;key</c>.</summary>
internal sealed record JsonStep(bool AsText, string Operand, bool IsIndex);

/// <summary>A column, perhaps with a way into its JSON.</summary>
internal sealed record FieldName(string Name, IReadOnlyList<JsonStep> Path);

/// <summary>A part of <c>select</c>.</summary>
internal abstract record SelectItem;

/// <summary>A column, its cast, an aggregate of it, and what it is called in the answer.</summary>
internal sealed record SelectField(FieldName Field, string? Aggregate, string? AggregateCast, string? Cast, string? Alias) : SelectItem;

/// <summary>An embedded resource; spread: its columns stand among those of its parent.</summary>
internal sealed record SelectRelation(string Name, string? Alias, string? Hint, bool IsInner, bool IsSpread, IReadOnlyList<SelectItem> Items) : SelectItem;

/// <summary>What a value is compared by.</summary>
internal enum OperatorKind
{
    Plain,
    Quantified,
    In,
    Is,
    IsDistinct,
    TextSearch,
}

/// <summary>An operator with its operand.</summary>
/// <param name="Not">Whether it is turned round.</param>
/// <param name="Kind">What kind it is.</param>
/// <param name="Name">Its name in a URL.</param>
/// <param name="Modifier">any or all; the language of a text search.</param>
/// <param name="Value">The operand; the word of <c>is</c>.</param>
/// <param name="Values">The operands of <c>in</c>.</param>
internal sealed record Comparison(bool Not, OperatorKind Kind, string Name, string? Modifier, string Value, IReadOnlyList<string> Values);

/// <summary>A condition.</summary>
internal abstract record Condition;

/// <summary>A column compared.</summary>
internal sealed record Filter(FieldName Field, Comparison Comparison) : Condition;

/// <summary>Conditions joined by and, or.</summary>
internal sealed record Group(bool Not, bool IsAnd, IReadOnlyList<Condition> Conditions) : Condition;

/// <summary>One key to order by; with a relation: of an embedded resource.</summary>
internal sealed record OrderTerm(string? Relation, FieldName Field, bool? IsDescending, bool? NullsFirst);

/// <summary>Something that holds for an embedded resource; an empty path is the table itself.</summary>
internal sealed record At<T>(IReadOnlyList<string> Path, T Value);

/// <summary>Rows from and to, both counted from 0; no upper end: all that follow.</summary>
internal readonly record struct RowRange(long Lower, long? Upper)
{
    public static RowRange All { get; } = new(0, null);

    public bool IsEmpty => Upper < Lower;

    public bool IsLimitZero => Upper == -1;

    public long? Limit => Upper is { } upper ? upper - Lower + 1 : null;

    public RowRange Intersect(RowRange other) =>
        new(Math.Max(Lower, other.Lower), (Upper, other.Upper) is ({ } mine, { } theirs) ? Math.Min(mine, theirs) : Upper ?? other.Upper);

    public RowRange AtMost(long? limit) => limit is { } rows ? Intersect(new(long.MinValue, Lower + rows - 1)) : this;
}

/// <summary>A query string, understood.</summary>
internal sealed class RestQuery
{
    public required IReadOnlyList<SelectItem> Select { get; init; }
    public required IReadOnlyList<At<Filter>> Filters { get; init; }
    public required IReadOnlyList<At<Condition>> Logic { get; init; }
    public required IReadOnlyList<At<IReadOnlyList<OrderTerm>>> Order { get; init; }
    public required IReadOnlyDictionary<string, RowRange> Ranges { get; init; }
    public required IReadOnlyList<string>? Columns { get; init; }
    public required IReadOnlyList<string>? OnConflict { get; init; }

    /// <summary>The names to the left of a filter's <c>=</c>.</summary>
    public required IReadOnlySet<string> FilterKeys { get; init; }

    /// <summary>The query in one form, its parameters in alphabetical order.</summary>
    public required string Canonical { get; init; }

    /// <summary>The same query with other filters and columns.</summary>
    public RestQuery With(IReadOnlyList<At<Filter>> filters, IReadOnlyList<SelectItem> select) =>
        new()
        {
            Select = select,
            Filters = filters,
            Logic = Logic,
            Order = Order,
            Ranges = Ranges,
            Columns = Columns,
            OnConflict = OnConflict,
            FilterKeys = FilterKeys,
            Canonical = Canonical,
        };
}
