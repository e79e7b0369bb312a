using System.Text.Json;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>A column as the catalogue of the database has it.</summary>
internal sealed record RestColumn(
    int Num,
    string Name,
    string Type,
    string BaseType,
    string? Domain,
    bool Nullable,
    string? Default,
    string? Comment,
    HashSet<string> Select,
    HashSet<string> Insert,
    HashSet<string> Update,
    IReadOnlyList<long>? Base
)
{
    /// <summary>Whether it holds the key of a stored file, which goes out as a link and never as it is.</summary>
    public bool IsStorageKey => Domain == "storage_key";
}

/// <summary>A table or view.</summary>
internal sealed record RestRelation(
    long Id,
    string Schema,
    string Name,
    char Kind,
    bool IsGuarded,
    bool Insertable,
    bool Updatable,
    bool Deletable,
    HashSet<string> Deleters,
    string? Comment,
    IReadOnlyList<RestColumn> Columns
)
{
    public string Quoted { get; } = $"{RestCatalog.Quote(Schema)}.{RestCatalog.Quote(Name)}";

    public bool IsView => Kind is 'v' or 'm';

    public IReadOnlyList<string> PrimaryKey { get; set; } = [];

    public RestColumn? Find(string name) => Columns.FirstOrDefault(column => column.Name == name);

    public IEnumerable<RestColumn> Granted(Caller caller) => Columns.Where(column => column.Select.Contains(caller.Role));
}

/// <summary>How many of the other side a row has.</summary>
internal enum Cardinality
{
    ManyToOne,
    OneToMany,
    OneToOne,
    ManyToMany,
}

/// <summary>A way from one table to another, along a foreign key or through a table between them.</summary>
internal sealed record RestRelationship(
    RestRelation From,
    RestRelation To,
    Cardinality Cardinality,
    string Constraint,
    IReadOnlyList<(string From, string To)> Columns,
    RestRelation? Junction = null,
    string? SecondConstraint = null,
    IReadOnlyList<(string Junction, string To)>? SecondColumns = null
)
{
    public bool IsToOne => Cardinality is Cardinality.ManyToOne or Cardinality.OneToOne;

    public bool IsSelf => From.Id == To.Id;
}

/// <summary>What the exposed schemas hold, read from the database.</summary>
internal sealed class RestCatalog
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly Dictionary<(string, string), RestRelation> _relations;
    private readonly ILookup<long, RestRelationship> _relationships;
    private readonly Dictionary<string, string> _types;

    private RestCatalog(Raw raw)
    {
        _relations = raw.Relations.ToDictionary(relation => (relation.Schema, relation.Name));
        _types = raw.Types;
        foreach (var relation in raw.Relations)
        {
            relation.PrimaryKey = FindPrimaryKey(relation, raw.Keys);
        }
        _relationships = RestRelationships.Find(raw.Relations, raw.Keys, raw.References).ToLookup(relationship => relationship.From.Id);
    }

    public IEnumerable<RestRelation> Relations => _relations.Values;

    public static RestCatalog Parse(string json) => new(JsonSerializer.Deserialize<Raw>(json, Options)!);

    public static string Quote(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    public IEnumerable<RestRelationship> From(RestRelation relation) => _relationships[relation.Id];

    /// <summary>A table or view by its name.</summary>
    /// <exception cref="RestError">PGRST205.</exception>
    public RestRelation Get(string schema, string name, Caller caller) =>
        _relations.TryGetValue((schema, name), out var relation)
            ? relation
            : throw RestError.NoTable(
                schema,
                name,
                Likeness.Closest(name, _relations.Values.Where(each => each.Schema == schema && each.Granted(caller).Any()).Select(each => each.Name))
            );

    /// <summary>A type to cast to, as SQL.</summary>
    /// <exception cref="RestError">42704.</exception>
    public string Type(string name) =>
        SqlNames.TryGetValue(name.ToLowerInvariant(), out var known) ? known
        : _types.TryGetValue(name.ToLowerInvariant(), out var type) ? type
        : throw new RestError(400, "42704", $"type \"{name}\" does not exist");

    /// <summary>Names of types that are grammar and not in the catalogue.</summary>
    private static readonly Dictionary<string, string> SqlNames = new()
    {
        ["int"] = "integer",
        ["integer"] = "integer",
        ["smallint"] = "smallint",
        ["bigint"] = "bigint",
        ["real"] = "real",
        ["float"] = "double precision",
        ["double precision"] = "double precision",
        ["decimal"] = "numeric",
        ["boolean"] = "boolean",
        ["char"] = "character",
        ["character"] = "character",
        ["character varying"] = "character varying",
        ["timestamp with time zone"] = "timestamp with time zone",
        ["timestamp without time zone"] = "timestamp without time zone",
        ["time with time zone"] = "time with time zone",
        ["time without time zone"] = "time without time zone",
        ["bit varying"] = "bit varying",
    };

    private static List<string> FindPrimaryKey(RestRelation relation, List<RawKey> keys)
    {
        foreach (var key in keys.Where(key => key.IsPrimary))
        {
            var columns = key.Columns.ConvertAll(num => RestRelationships.ColumnOf(relation, key.Table, num));
            if (columns.TrueForAll(column => column is not null))
            {
                return columns.ConvertAll(column => column!);
            }
        }
        return [];
    }

    internal sealed record RawKey(long Table, bool IsPrimary, List<int> Columns);

    internal sealed record RawReference(string Name, long Table, List<int> Columns, long Target, List<int> TargetColumns);

    internal sealed record Raw(List<RestRelation> Relations, List<RawKey> Keys, List<RawReference> References, Dictionary<string, string> Types);
}
