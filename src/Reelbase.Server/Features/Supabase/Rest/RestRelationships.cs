namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>Finds the ways between tables and views from the foreign keys of the database.</summary>
internal static class RestRelationships
{
    public static List<RestRelationship> Find(List<RestRelation> relations, List<RestCatalog.RawKey> keys, List<RestCatalog.RawReference> references)
    {
        var all = new List<RestRelationship>();
        foreach (var reference in references)
        {
            var sources = Having(relations, reference.Table, reference.Columns);
            var targets = Having(relations, reference.Target, reference.TargetColumns);
            // Equal as sets: a key with one column more may repeat the reference's.
            var isUnique = keys.Exists(key => key.Table == reference.Table && key.Columns.Order().SequenceEqual(reference.Columns.Order()));
            foreach (var (source, mine) in sources)
            {
                foreach (var (target, theirs) in targets.Where(target => target.Relation.Schema == source.Schema))
                {
                    var columns = mine.Zip(theirs).ToList();
                    all.Add(new(source, target, isUnique ? Cardinality.OneToOne : Cardinality.ManyToOne, reference.Name, columns));
                    all.Add(
                        new(
                            target,
                            source,
                            isUnique ? Cardinality.OneToOne : Cardinality.OneToMany,
                            reference.Name,
                            columns.ConvertAll(pair => (pair.Second, pair.First))
                        )
                    );
                }
            }
        }
        return [.. all, .. Through(all)];
    }

    /// <summary>A relation's own name for a column of a table: itself, or a view's column that is that one.</summary>
    public static string? ColumnOf(RestRelation relation, long table, int num) =>
        relation.Id == table
            ? relation.Columns.FirstOrDefault(column => column.Num == num)?.Name
            : relation.Columns.FirstOrDefault(column => column.Base is [var id, var its] && id == table && its == num)?.Name;

    /// <summary>Tables whose primary key holds two references join what these point to.</summary>
    private static IEnumerable<RestRelationship> Through(List<RestRelationship> all) =>
        from first in all
        where first.Cardinality is Cardinality.OneToMany && first.To.PrimaryKey.Count > 0
        where first.Columns.All(pair => first.To.PrimaryKey.Contains(pair.To))
        from second in all
        where second.From.Id == first.To.Id && second.Cardinality is Cardinality.ManyToOne && second.Constraint != first.Constraint
        where second.Columns.All(pair => first.To.PrimaryKey.Contains(pair.From))
        select new RestRelationship(
            first.From,
            second.To,
            Cardinality.ManyToMany,
            first.Constraint,
            first.Columns,
            first.To,
            second.Constraint,
            second.Columns
        );

    private static List<(RestRelation Relation, List<string> Columns)> Having(List<RestRelation> relations, long table, List<int> nums) =>
        [
            .. from relation in relations
            let columns = nums.ConvertAll(num => ColumnOf(relation, table, num))
            where columns.TrueForAll(column => column is not null)
            select (relation, columns.ConvertAll(column => column!)),
        ];
}

/// <summary>How alike two names are.</summary>
internal static class Likeness
{
    private const double Enough = 0.75;
    private const int MaxLength = 63;

    /// <summary>The name that is most like it, if one is like enough.</summary>
    public static string? Closest(string name, IEnumerable<string> names) =>
        name.Length > MaxLength
            ? null
            : names
                .Select(each => (each, Score: 1 - (double)Distance(name, each) / Math.Max(name.Length, each.Length)))
                .Where(pair => pair.Score >= Enough && pair.each != name)
                .OrderByDescending(pair => pair.Score)
                .Select(pair => pair.each)
                .FirstOrDefault();

    /// <summary>How many letters have to be added, left out or changed.</summary>
    public static int Distance(string first, string second)
    {
        var row = Enumerable.Range(0, second.Length + 1).ToArray();
        for (var i = 1; i <= first.Length; i++)
        {
            var (diagonal, _) = (row[0], row[0] = i);
            for (var j = 1; j <= second.Length; j++)
            {
                var change = diagonal + (first[i - 1] == second[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
