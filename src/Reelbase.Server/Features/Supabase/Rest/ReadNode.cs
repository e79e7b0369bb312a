namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>A table of a query and what is embedded in it.</summary>
internal sealed class ReadNode
{
    /// <summary>What was asked for; null for the table itself.</summary>
    public SelectRelation? Asked { get; init; }

    public required RestRelation Relation { get; set; }

    /// <summary>How it belongs to its parent; null for the table itself.</summary>
    public RestRelationship? Relationship { get; set; }

    public required int Depth { get; init; }

    /// <summary>What its columns are qualified by, as SQL.</summary>
    public string Qualifier { get; set; } = "";

    /// <summary>What its parent's columns are qualified by.</summary>
    public string ParentQualifier { get; set; } = "";

    /// <summary>What it is called as a joined subquery.</summary>
    public string Joined { get; set; } = "";

    /// <summary>What the table between is called.</summary>
    public string Junction { get; set; } = "";

    public List<SelectField> Fields { get; set; } = [];
    public List<ReadNode> Children { get; } = [];
    public List<Condition> Where { get; } = [];
    public IReadOnlyList<OrderTerm> Order { get; set; } = [];
    public RowRange Range { get; set; } = RowRange.All;

    public string Name => Asked?.Alias ?? Asked?.Name ?? Relation.Name;

    public bool IsSpread => Asked?.IsSpread is true;

    public bool IsInner => Asked?.IsInner is true;

    public bool IsToOne => Relationship?.IsToOne is true;

    public bool HasAggregates => Fields.Exists(each => each.Aggregate is not null);

    /// <summary>Embedded only to filter by: it is no part of the answer.</summary>
    public bool IsEmpty => Fields.Count == 0 && Children.TrueForAll(child => child.IsEmpty);

    /// <summary>What its table is called in an error of PostgreSQL.</summary>
    public string ErrorName => Depth == 0 || Relationship?.Junction is not null ? Relation.Name : $"{Relation.Name}_{Depth}";

    /// <summary>The names that its columns have in the answer.</summary>
    public IEnumerable<string> OutputNames()
    {
        foreach (var field in Fields)
        {
            yield return OutputName(field);
        }
        foreach (var child in Children.Where(child => !child.IsEmpty))
        {
            foreach (var name in child.IsSpread ? child.OutputNames() : [child.Name])
            {
                yield return name;
            }
        }
    }

    /// <summary>Whether a name of the answer is a storage key's, by whatever alias and however deeply spread.</summary>
    public bool IsStorageKey(string name) =>
        Fields.Exists(field => OutputName(field) == name && Relation.Find(field.Field.Name)?.IsStorageKey is true)
        || Children.Exists(child => child.IsSpread && child.IsStorageKey(name));

    public static string OutputName(SelectField field) => field.Alias ?? field.Aggregate ?? LastKey(field.Field) ?? field.Field.Name;

    private static string? LastKey(FieldName field) => field.Path.Count == 0 ? null : field.Path.LastOrDefault(step => !step.IsIndex)?.Operand ?? field.Name;
}
