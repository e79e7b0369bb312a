namespace Reelbase.Tests.Support;

/// <summary>
/// One product with the tests' ordinary settings for every class that needs no other. Starting one costs more than most tests, so classes take turns with it: their users
/// keep them apart, and whoever makes the outside world misbehave puts it right again.
/// </summary>
[CollectionDefinition(Name)]
public sealed class SharedProduct : ICollectionFixture<TestSystem>
{
    public const string Name = "the shared product";
}
