/**
 * Model families: what a chat and its images become for a model, by its {@code model_type}. Each
 * family is a package below this one; another one, in any jar, is a {@link
 * dev.squint.family.ModelFamilyProvider}.
 */
package dev.squint.family;
