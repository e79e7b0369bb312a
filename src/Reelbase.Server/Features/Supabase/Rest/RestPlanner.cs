using System.Text.Json.Nodes;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>Brings a query together with the catalogue: which tables, joined how, with which columns, and whether they may be served at all.</summary>
internal sealed class RestPlanner(RestCatalog catalog, RestOptions options, Caller caller, string schema)
{
    private const int MaxNodes = 20;
    private const int MaxDepth = 6;
    private const int MaxFields = 300;

    private int _nodes;
    private int _fields;
    private int _resolved;
    private int _lists;

    /// <summary>The tree of a query.</summary>
    /// <param name="relation">The table that the path names.</param>
    /// <param name="query">The query.</param>
    /// <param name="isChange">A change filters and orders what it touches by itself.</param>
    /// <param name="topRange">The rows of the table that are asked for.</param>
    public ReadNode Plan(RestRelation relation, RestQuery query, bool isChange, RowRange topRange)
    {
        Guard(relation);
        var root = new ReadNode { Relation = relation, Depth = 0 };
        Grow(root, query.Select);
        foreach (var filter in query.Filters.Where(filter => !isChange || filter.Path.Count > 0))
        {
            Find(root, filter.Path).Where.Add(filter.Value);
        }
        foreach (var order in query.Order)
        {
            Find(root, order.Path).Order = order.Value;
        }
        if (!isChange)
        {
            foreach (var (key, range) in query.Ranges)
            {
                Find(root, RestGrammar.ReadPath(key)).Range = range;
            }
            root.Range = topRange;
        }
        foreach (var logic in query.Logic.Where(logic => !isChange || logic.Path.Count > 0))
        {
            Find(root, logic.Path).Where.Add(logic.Value);
        }
        root.Qualifier = "t0";
        Resolve(root, 0);
        CheckOrders(root);
        Expand(root);
        if (!isChange)
        {
            root.Range = AtMostRows(root.Range);
        }
        root.Children.ForEach(Restrict);
        return root;
    }

    /// <summary>Tables whose rows nobody guards are not served unless a setting says so.</summary>
    public void Guard(RestRelation relation)
    {
        if (!relation.IsGuarded && !options.ServeWithoutRowSecurity)
        {
            throw RestError.Denied(
                caller,
                $"permission denied for {(relation.IsView ? "view" : "table")} {relation.Name}",
                relation.Kind == 'v' ? "Create the view with (security_invoker = true)." : "Enable row security and give it policies."
            );
        }
    }

    private void Grow(ReadNode node, IReadOnlyList<SelectItem> items)
    {
        if (++_nodes > MaxNodes || node.Depth > MaxDepth)
        {
            throw RestError.TooMuch($"at most {MaxNodes} embedded resources, {MaxDepth} inside each other");
        }
        foreach (var item in items)
        {
            if (item is SelectRelation asked)
            {
                var child = new ReadNode
                {
                    Asked = asked,
                    Relation = node.Relation,
                    Depth = node.Depth + 1,
                };
                Grow(child, asked.Items);
                node.Children.Add(child);
            }
            else
            {
                node.Fields.Add((SelectField)item);
            }
        }
    }

    private static ReadNode Find(ReadNode node, IReadOnlyList<string> path)
    {
        foreach (var name in path)
        {
            node =
                node.Children.Find(child => child.Name == name) ?? node.Children.Find(child => child.Asked!.Name == name) ?? throw RestError.NotEmbedded(name);
        }
        return node;
    }

    private void Resolve(ReadNode parent, int listDepth)
    {
        foreach (var child in parent.Children)
        {
            var relationship = FindRelationship(parent.Relation, child.Asked!);
            child.Relationship = relationship;
            child.Relation = relationship.To;
            Guard(relationship.To);
            if (relationship.Junction is { } junction)
            {
                Guard(junction);
            }
            var depth = listDepth + (child.IsToOne ? 0 : 1);
            if (!child.IsToOne && (++_lists > options.MaxEmbeddedLists || depth > options.MaxEmbeddedListDepth))
            {
                throw RestError.TooMuch($"at most {options.MaxEmbeddedLists} embedded resources to many, {options.MaxEmbeddedListDepth} inside each other");
            }
            var number = ++_resolved;
            child.Qualifier = $"t{number}";
            child.ParentQualifier = parent.Qualifier;
            child.Joined = $"a{number}";
            child.Junction = $"j{number}";
            Resolve(child, depth);
        }
    }

    private RestRelationship FindRelationship(RestRelation origin, SelectRelation asked)
    {
        var (target, hint) = (asked.Name, asked.Hint);
        bool Single(RestRelationship each, string column) => each.Junction is null && each.Columns is [var pair] && pair.From == column;
        bool SingleTarget(RestRelationship each, string column) => each.Junction is null && each.Columns is [var pair] && pair.To == column;
        bool Constraint(RestRelationship each, string name) => each.Junction is null && each.Constraint == name;
        var found = catalog
            .From(origin)
            .Where(each =>
                each.IsSelf
                    ? hint is null
                        ? (target == each.To.Name && each.Cardinality == Cardinality.OneToMany)
                            || (Single(each, target) && each.Cardinality == Cardinality.ManyToOne)
                        : target == each.To.Name && each.Cardinality == Cardinality.OneToMany && SingleTarget(each, hint)
                    : hint is null
                        ? target == each.To.Name || ((Constraint(each, target) || Single(each, target)) && !each.To.IsView)
                        : target == each.To.Name && (Constraint(each, hint) || Single(each, hint) || SingleTarget(each, hint) || each.Junction?.Name == hint)
            )
            .ToList();
        return found switch
        {
            [var only] => only,
            [] => throw NoRelationship(origin, target, hint),
            _ => throw Ambiguous(origin, target, found),
        };
    }

    private RestError NoRelationship(RestRelation origin, string target, string? hint)
    {
        var targets = catalog.From(origin).Select(each => each.To.Name).Distinct().ToList();
        var likely =
            targets.Count == 0
                ? Likeness.Closest(origin.Name, catalog.Relations.Where(each => each.Schema == schema && catalog.From(each).Any()).Select(each => each.Name))
            : targets.Contains(target) ? null
            : Likeness.Closest(target, targets);
        return new(
            400,
            "PGRST200",
            $"Could not find a relationship between '{origin.Name}' and '{target}' in the schema cache",
            $"Searched for a foreign key relationship between '{origin.Name}' and '{target}'{(hint is null ? "" : $" using the hint '{hint}'")} in the schema '{schema}', but no matches were found.",
            likely is null ? null : $"Perhaps you meant '{likely}' instead of '{(targets.Count == 0 ? origin.Name : target)}'."
        );
    }

    private static RestError Ambiguous(RestRelation origin, string target, List<RestRelationship> found)
    {
        static string Names(IEnumerable<string> names) => $"({string.Join(", ", names)})";
        var details = new JsonArray([
            .. found.Select(each => new JsonObject
            {
                ["cardinality"] = each.Cardinality switch
                {
                    Cardinality.ManyToMany => "many-to-many",
                    Cardinality.ManyToOne => "many-to-one",
                    Cardinality.OneToOne => "one-to-one",
                    _ => "one-to-many",
                },
                ["embedding"] = $"{each.From.Name} with {each.To.Name}",
                ["relationship"] = each.Junction is { } junction
                    ? $"{junction.Name} using {each.Constraint}{Names(each.Columns.Select(pair => pair.To))} and {each.SecondConstraint}{Names(each.SecondColumns!.Select(pair => pair.Junction))}"
                    : $"{each.Constraint} using {each.From.Name}{Names(each.Columns.Select(pair => pair.From))} and {each.To.Name}{Names(each.Columns.Select(pair => pair.To))}",
            }),
        ]);
        var hints = string.Join(", ", found.Select(each => $"'{each.To.Name}!{each.Junction?.Name ?? each.Constraint}'"));
        return new(
            300,
            "PGRST201",
            $"Could not embed because more than one relationship was found for '{origin.Name}' and '{target}'",
            details,
            $"Try changing '{target}' to one of the following: {hints}. Find the desired relationship in the 'details' key."
        );
    }

    private static void CheckOrders(ReadNode node)
    {
        foreach (var term in node.Order.Where(term => term.Relation is not null))
        {
            var child = node.Children.Find(child => child.Name == term.Relation) ?? throw RestError.NotEmbedded(term.Relation!);
            if (!child.IsToOne)
            {
                throw new RestError(
                    400,
                    "PGRST118",
                    $"A related order on '{child.Name}' is not possible",
                    $"'{node.Relation.Name}' and '{child.Name}' do not form a many-to-one or one-to-one relationship"
                );
            }
        }
        node.Children.ForEach(CheckOrders);
    }

    /// <summary><c>*</c> is what the role is granted, and no more.</summary>
    private void Expand(ReadNode node)
    {
        var fields = new List<SelectField>();
        foreach (var field in node.Fields)
        {
            if (!node.IsSpread && Counting(node.Relation, field) is { } counting)
            {
                // Not an aggregate that a setting allows: how many there are, any client may ask in other ways too.
                fields.Add(counting);
                continue;
            }
            if (field.Aggregate is not null)
            {
                if (!options.Aggregates)
                {
                    throw new RestError(400, "PGRST123", "Use of aggregate functions is not allowed");
                }
                if (node.IsSpread)
                {
                    throw RestError.NotOffered("Aggregates are not offered in spread resources.");
                }
            }
            if (field is { Aggregate: null, Field: { Name: "*", Path.Count: 0 } })
            {
                fields.AddRange(Granted(node.Relation).Select(column => field with { Field = new(column.Name, []) }));
            }
            else
            {
                fields.Add(field);
            }
        }
        node.Fields = fields;
        if ((_fields += fields.Count) > MaxFields)
        {
            throw RestError.TooMuch($"at most {MaxFields} columns");
        }
        node.Children.ForEach(Expand);
    }

    /// <summary><c>count</c> alone is the number of rows, where no column has that name.</summary>
    private static SelectField? Counting(RestRelation relation, SelectField field) =>
        field is { Aggregate: null, Cast: null, Field: { Name: "count", Path.Count: 0 } } && relation.Find("count") is null
            ? field with
            {
                Field = new("*", []),
                Aggregate = "count",
            }
            : null;

    /// <summary>The columns that the role may read of a table.</summary>
    public IEnumerable<RestColumn> Granted(RestRelation relation)
    {
        var granted = relation.Granted(caller).ToList();
        return granted.Count > 0 || relation.Columns.Count == 0
            ? granted
            : throw RestError.Denied(caller, $"permission denied for {(relation.IsView ? "view" : "table")} {relation.Name}");
    }

    private void Restrict(ReadNode node)
    {
        node.Range = AtMostRows(node.Range);
        node.Children.ForEach(Restrict);
    }

    private RowRange AtMostRows(RowRange range) => range.IsLimitZero ? range : range.AtMost(options.MaxRows);
}
