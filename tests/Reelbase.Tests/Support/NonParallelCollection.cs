namespace Reelbase.Tests.Support;

/// <summary>For tests that want the whole machine, or measure an order that a busy one would disturb: run after all others, one by one.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class NonParallelCollection
{
    public const string Name = "alone";
}
