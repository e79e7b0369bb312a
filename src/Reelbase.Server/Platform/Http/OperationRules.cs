namespace Reelbase.Server.Platform.Http;

/// <summary>What the SQL function of an admin operation takes from a feature's configuration; the feature's module registers it.</summary>
/// <param name="Operation">The operation's name.</param>
/// <param name="Read">Bounds as JSON text, or a number.</param>
public sealed record OperationRules(string Operation, Func<IServiceProvider, object> Read);

/// <summary>What a feature wants to be woken by after a change that an admin made; the feature's module registers it.</summary>
/// <param name="Of">The topics of a change, from its request.</param>
public sealed record OperationTopics(Func<System.Text.Json.Nodes.JsonObject, IEnumerable<string>> Of);
