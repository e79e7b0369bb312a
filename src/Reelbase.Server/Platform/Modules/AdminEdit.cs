using System.Text.Json.Serialization;

namespace Reelbase.Server.Platform.Modules;

/// <summary>A request that changes only the fields that it names.</summary>
public abstract record AdminEdit
{
    /// <summary>Fields that become empty, by their names in JSON: a member that is null here is one that stays as it is.</summary>
    [JsonIgnore]
    public IReadOnlyCollection<string> Cleared { get; init; } = [];
}
